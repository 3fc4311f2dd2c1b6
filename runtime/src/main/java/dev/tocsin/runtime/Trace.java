package dev.tocsin.runtime;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.regex.Pattern;

/**
 * The trace that a call belongs to, as its {@code traceparent} header says (W3C Trace Context,
 * level 1): handed on as it is, never begun here. A header of another form is as good as none.
 */
public final class Trace implements ServerInterceptor {
  private static final Metadata.Key<String> HEADER =
      Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);

  /** Version 00; later ones may be longer, and begin the same. */
  private static final Pattern FORM =
      Pattern.compile("(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}");

  private static final Context.Key<String> KEY = Context.keyWithDefault("trace", "");

  Trace() {}

  /** The trace of the gRPC call that this thread serves; empty if there is none. */
  public static String current() {
    return KEY.get();
  }

  /** The trace that a call belongs to; empty if there is none. */
  static String of(Metadata headers) {
    String trace = headers.get(HEADER);
    return trace == null || !FORM.matcher(trace).matches() ? "" : trace;
  }

  /** The part that all calls of a trace share: 32 hex digits; empty if there is none. */
  static String id(Metadata headers) {
    String trace = of(headers);
    return trace.isEmpty() ? "" : trace.split("-", -1)[1];
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    String trace = of(headers);
    return trace.isEmpty()
        ? next.startCall(call, headers)
        : Contexts.interceptCall(Context.current().withValue(KEY, trace), call, headers, next);
  }
}
