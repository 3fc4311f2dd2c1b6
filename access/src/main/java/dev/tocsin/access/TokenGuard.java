package dev.tocsin.access;

import dev.tocsin.runtime.Errors;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * Lets in who shows a good token ({@code authorization: Bearer …}) with the role that the method
 * asks for. Whatever is wrong with a token, the answer is UNAUTHENTICATED under one message, so
 * that nobody learns from it; which it was is counted ({@link AuthFailure}). A call that lasts ends
 * with its token ({@link ExpiringCall}). The token goes no further than here.
 */
final class TokenGuard implements ServerInterceptor {
  static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  static final String NOT_GOOD = "a bearer token is needed, and a good one";

  private static final String SCHEME = "bearer ";

  private final TokenVerifier verifier;
  private final Predicate<String> closed;
  private final ScheduledExecutorService timer;
  private final Clock clock;
  private final Map<AuthFailure, Counter> failures = new EnumMap<>(AuthFailure.class);

  /**
   * A guard.
   *
   * @param closed names of services that are not for everyone
   * @param timer for the ends of tokens
   */
  TokenGuard(
      TokenVerifier verifier,
      Predicate<String> closed,
      ScheduledExecutorService timer,
      MeterRegistry meters,
      Clock clock) {
    this.verifier = verifier;
    this.closed = closed;
    this.timer = timer;
    this.clock = clock;
    for (AuthFailure reason : AuthFailure.values()) {
      failures.put(
          reason,
          Counter.builder("tocsin.auth.failures")
              .description("Calls that were not let in, or not to their end, by reason")
              .tag("reason", reason.name())
              .register(meters));
    }
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    MethodDescriptor<Q, R> method = call.getMethodDescriptor();
    if (!closed.test(method.getServiceName()) || MethodRoles.isPublic(method)) {
      headers.discardAll(AUTHORIZATION);
      return next.startCall(call, headers);
    }
    try {
      TokenVerifier.Holder holder = holder(headers);
      checkRole(method, holder);
      headers.discardAll(AUTHORIZATION);
      Context context = holder.caller().in(Context.current());
      return method.getType().clientSendsOneMessage() && method.getType().serverSendsOneMessage()
          ? Contexts.interceptCall(context, call, headers, next)
          : lasting(call, headers, next, holder, context);
    } catch (StatusRuntimeException e) {
      call.close(e.getStatus(), e.getTrailers() == null ? new Metadata() : e.getTrailers());
      return new ServerCall.Listener<>() {};
    }
  }

  private void checkRole(MethodDescriptor<?, ?> method, TokenVerifier.Holder holder) {
    Optional<Role> needed = MethodRoles.of(method);
    if (needed.isPresent() && !holder.may(needed.get())) {
      throw refused(
          AuthFailure.ROLE,
          Status.PERMISSION_DENIED.withDescription(
              "the role %s is needed for this".formatted(needed.get().text())));
    }
  }

  private TokenVerifier.Holder holder(Metadata headers) {
    String header = headers.get(AUTHORIZATION);
    if (header == null || !header.toLowerCase(Locale.ROOT).startsWith(SCHEME)) {
      throw refused(AuthFailure.MISSING, Status.UNAUTHENTICATED.withDescription(NOT_GOOD));
    }
    try {
      TokenVerifier.Verdict verdict = verifier.verify(header.substring(SCHEME.length()).strip());
      if (verdict instanceof TokenVerifier.NotGood bad) {
        throw refused(bad.why(), Status.UNAUTHENTICATED.withDescription(NOT_GOOD));
      }
      return (TokenVerifier.Holder) verdict;
    } catch (TokenKeys.NotYetException e) {
      failures.get(AuthFailure.KEY_UNKNOWN).increment();
      throw Errors.unavailable("the token's key is not known yet", e.retryAfter());
    }
  }

  private <Q, R> ServerCall.Listener<Q> lasting(
      ServerCall<Q, R> call,
      Metadata headers,
      ServerCallHandler<Q, R> next,
      TokenVerifier.Holder holder,
      Context context) {
    ExpiringCall<Q, R> expiring = new ExpiringCall<>(call);
    expiring.listen(Contexts.interceptCall(context, expiring, headers, next));
    Duration left = Duration.between(clock.instant(), holder.until());
    ScheduledFuture<?> end =
        timer.schedule(() -> expire(expiring), left.toMillis(), TimeUnit.MILLISECONDS);
    expiring.onEnd(() -> end.cancel(false));
    return expiring.listener();
  }

  private <Q, R> void expire(ExpiringCall<Q, R> call) {
    failures.get(AuthFailure.ENDED).increment();
    call.expire();
    ScheduledFuture<?> cut =
        timer.schedule(call::cut, ExpiringCall.LAST_ANSWERS_MAX.toMillis(), TimeUnit.MILLISECONDS);
    call.onEnd(() -> cut.cancel(false));
  }

  private StatusRuntimeException refused(AuthFailure reason, Status status) {
    failures.get(reason).increment();
    return status.asRuntimeException();
  }
}
