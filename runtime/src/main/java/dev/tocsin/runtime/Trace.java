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

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    String trace = headers.get(HEADER);
    return trace == null || !FORM.matcher(trace).matches()
        ? next.startCall(call, headers)
        : Contexts.interceptCall(Context.current().withValue(KEY, trace), call, headers, next);
  }
}
