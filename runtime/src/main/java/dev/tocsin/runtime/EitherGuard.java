package dev.tocsin.runtime;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

/** Of two ways to tell who calls, takes the sealed one where a call has a seal at all. */
final class EitherGuard implements ServerInterceptor {
  private final ServerInterceptor sealed;
  private final ServerInterceptor tokens;

  EitherGuard(ServerInterceptor sealed, ServerInterceptor tokens) {
    this.sealed = sealed;
    this.tokens = tokens;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    ServerInterceptor guard = headers.containsKey(CallerSeal.HEADER) ? sealed : tokens;
    return guard.interceptCall(call, headers, next);
  }
}
