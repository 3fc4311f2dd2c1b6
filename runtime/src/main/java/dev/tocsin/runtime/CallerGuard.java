package dev.tocsin.runtime;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Takes from whoever forwards a call who its caller is ({@link CallerSeal}). Without a secret
 * everyone is {@link Caller#ANONYMOUS}, and a call that claims otherwise is refused; with one, a
 * call must say who its caller is. All refusals are UNAUTHENTICATED under one message.
 */
final class CallerGuard implements ServerInterceptor {
  private final Optional<CallerSeal> seal;
  private final Clock clock;
  private final Predicate<String> guarded;
  private final Counter refused;

  /**
   * A guard.
   *
   * @param guarded by name of the service; health and reflection are for everyone
   */
  CallerGuard(
      Optional<CallerSeal> seal, Clock clock, Predicate<String> guarded, MeterRegistry meters) {
    this.seal = seal;
    this.clock = clock;
    this.guarded = guarded;
    this.refused =
        Counter.builder("tocsin.auth.failures")
            .description("Calls that were not let in, or not to their end, by reason")
            .tag("reason", "SEAL")
            .register(meters);
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    if (!guarded.test(call.getMethodDescriptor().getServiceName())) {
      return next.startCall(call, headers);
    }
    Optional<Caller> caller = caller(call.getMethodDescriptor().getFullMethodName(), headers);
    if (caller.isEmpty()) {
      refused.increment();
      call.close(
          Status.UNAUTHENTICATED.withDescription("it cannot be told who calls"), new Metadata());
      return new ServerCall.Listener<>() {};
    }
    return Contexts.interceptCall(caller.get().in(Context.current()), call, headers, next);
  }

  private Optional<Caller> caller(String method, Metadata headers) {
    String header = headers.get(CallerSeal.HEADER);
    if (seal.isEmpty()) {
      return header == null ? Optional.of(Caller.ANONYMOUS) : Optional.empty();
    }
    return Optional.ofNullable(header)
        .flatMap(told -> seal.get().open(told, method, clock.instant()));
  }
}
