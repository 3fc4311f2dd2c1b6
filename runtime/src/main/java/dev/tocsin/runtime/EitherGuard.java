package dev.tocsin.runtime;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.function.Predicate;

/**
 * Of two ways to tell who calls, takes the sealed one where a call has a seal at all. A seal is
 * looked at for services of ours only; for the others a token is asked for.
 */
final class EitherGuard implements ServerInterceptor {
  private final ServerInterceptor sealed;
  private final ServerInterceptor tokens;
  private final Predicate<String> ours;

  EitherGuard(ServerInterceptor sealed, ServerInterceptor tokens, Predicate<String> ours) {
    this.sealed = sealed;
    this.tokens = tokens;
    this.ours = ours;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    boolean isSealed =
        headers.containsKey(CallerSeal.HEADER)
            && ours.test(call.getMethodDescriptor().getServiceName());
    ServerInterceptor guard = isSealed ? sealed : tokens;
    return guard.interceptCall(call, headers, next);
  }
}
