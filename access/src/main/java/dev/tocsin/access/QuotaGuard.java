package dev.tocsin.access;

import dev.tocsin.runtime.Caller;
import dev.tocsin.runtime.Errors;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.function.Predicate;

/**
 * Holds callers to their quota of calls, and hands their quota of alerts on to whoever takes alerts
 * ({@link Quota#current}). Over it a call is RESOURCE_EXHAUSTED, with how long to wait. It stands
 * behind what tells who calls.
 */
final class QuotaGuard implements ServerInterceptor {
  private final Quotas quotas;
  private final Predicate<String> bounded;
  private final Counter refused;

  /**
   * A guard.
   *
   * @param bounded names of services that have quotas; what anybody may ask has none, or those
   *     without a token would use up what all share
   */
  QuotaGuard(Quotas quotas, Predicate<String> bounded, MeterRegistry meters) {
    this.quotas = quotas;
    this.bounded = bounded;
    this.refused =
        Counter.builder("tocsin.calls.limited")
            .description("Calls refused because their caller was over its quota")
            .register(meters);
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    MethodDescriptor<Q, R> method = call.getMethodDescriptor();
    if (!bounded.test(method.getServiceName()) || MethodRoles.isPublic(method)) {
      return next.startCall(call, headers);
    }
    Quota quota = quotas.of(Caller.current());
    Duration wait = quota.takeCall();
    if (!wait.isZero()) {
      refused.increment();
      StatusRuntimeException over = Errors.exhausted("over the quota of calls", wait);
      call.close(over.getStatus(), over.getTrailers());
      return new ServerCall.Listener<>() {};
    }
    return Contexts.interceptCall(quota.in(Context.current()), call, headers, next);
  }
}
