package dev.tocsin.runtime;

import io.grpc.Status;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the access log says of a call that has ended.
 *
 * @param peer the caller's address
 * @param requestId the caller's own, or made here
 * @param traceId empty if it belongs to none
 */
record LoggedLine(
    String method,
    Status.Code code,
    long tookMs,
    Caller caller,
    String peer,
    String requestId,
    String traceId) {
  /** For people. */
  String text() {
    return "%s %s %d ms, principal %s of %s, from %s, request %s"
        .formatted(
            method,
            code,
            tookMs,
            clean(caller.principal()),
            clean(caller.workspace()),
            peer,
            requestId);
  }

  /** For programs, by the names of the Elastic Common Schema where it has one. */
  Map<String, String> fields() {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put("rpc.method", method);
    fields.put("rpc.status", code.name());
    fields.put("event.duration_ms", Long.toString(tookMs));
    fields.put("user.name", clean(caller.principal()));
    fields.put("organization.name", clean(caller.workspace()));
    fields.put("client.address", peer);
    fields.put("http.request.id", requestId);
    if (!traceId.isEmpty()) {
      fields.put("trace.id", traceId);
    }
    return fields;
  }

  /** What a token says may hold anything. */
  private static String clean(String text) {
    return text.replaceAll("[^\\x21-\\x7e]", "?");
  }
}
