package dev.tocsin.runtime;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts and times each call, by method and code, and turns what a handler throws into the call's
 * end: a status as it is, anything else INTERNAL with its trace in the log only. Both series are
 * bounded by the methods that are served.
 */
final class CallMetrics implements ServerInterceptor {
  private static final Logger LOG = LoggerFactory.getLogger(CallMetrics.class);

  private static final Duration[] OBJECTIVES = {
    Duration.ofMillis(1),
    Duration.ofMillis(5),
    Duration.ofMillis(25),
    Duration.ofMillis(100),
    Duration.ofMillis(500),
    Duration.ofSeconds(1),
    Duration.ofSeconds(5)
  };

  private final MeterRegistry meters;
  private final ConcurrentHashMap<String, MethodMeters> methods = new ConcurrentHashMap<>();

  CallMetrics(MeterRegistry meters) {
    this.meters = meters;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    MethodMeters method =
        methods.computeIfAbsent(call.getMethodDescriptor().getFullMethodName(), MethodMeters::new);
    method.requests.increment();
    MeasuredCall<Q, R> measured = new MeasuredCall<>(call, method);
    try {
      return new MeasuredListener<>(next.startCall(measured, headers), measured);
    } catch (RuntimeException e) {
      measured.fail(e);
      return new ServerCall.Listener<>() {};
    }
  }

  /** The meters of one method, those by code made when a code first occurs. */
  private final class MethodMeters {
    final String method;
    final Counter requests;
    final ConcurrentHashMap<Status.Code, Timer> durations = new ConcurrentHashMap<>();
    final ConcurrentHashMap<Status.Code, Counter> errors = new ConcurrentHashMap<>();

    MethodMeters(String method) {
      this.method = method;
      requests =
          Counter.builder("grpc.requests")
              .description("Calls by method")
              .tag("method", method)
              .register(meters);
    }

    long nowNanos() {
      return meters.config().clock().monotonicTime();
    }

    void ended(Status.Code code, long nanos) {
      durations.computeIfAbsent(code, this::duration).record(nanos, TimeUnit.NANOSECONDS);
      if (code != Status.Code.OK) {
        errors.computeIfAbsent(code, this::error).increment();
      }
    }

    private Timer duration(Status.Code code) {
      return Timer.builder("grpc.request.duration")
          .description("From a call's start to its end, by method and code")
          .tag("method", method)
          .tag("code", code.name())
          .serviceLevelObjectives(OBJECTIVES)
          .register(meters);
    }

    private Counter error(Status.Code code) {
      return Counter.builder("grpc.errors")
          .description("Calls that ended with an error, by method and code")
          .tag("method", method)
          .tag("code", code.name())
          .register(meters);
    }
  }

  private static final class MeasuredCall<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private final MethodMeters meters;
    private final long begunNanos;
    private final AtomicBoolean ended = new AtomicBoolean();
    private boolean closed;

    MeasuredCall(ServerCall<Q, R> call, MethodMeters meters) {
      super(call);
      this.meters = meters;
      this.begunNanos = meters.nowNanos();
    }

    // A service may answer from threads of its own, while a message that cannot be parsed or a
    // handler that fails ends the call from the transport's: one at a time, and nothing after the
    // end.

    @Override
    public synchronized void sendHeaders(Metadata headers) {
      if (!closed) {
        super.sendHeaders(headers);
      }
    }

    @Override
    public synchronized void sendMessage(R message) {
      if (!closed) {
        super.sendMessage(message);
      }
    }

    @Override
    public synchronized void close(Status status, Metadata trailers) {
      if (closed) {
        return;
      }
      closed = true;
      end(status);
      super.close(status, trailers);
    }

    void end(Status status) {
      if (ended.compareAndSet(false, true)) {
        meters.ended(status.getCode(), meters.nowNanos() - begunNanos);
      }
    }

    void fail(RuntimeException e) {
      if (e instanceof StatusRuntimeException told) {
        close(told.getStatus(), told.getTrailers() == null ? new Metadata() : told.getTrailers());
        return;
      }
      LOG.error("{} failed", meters.method, e);
      close(Status.INTERNAL.withDescription("internal error"), new Metadata());
    }
  }

  /** Once a handler has thrown, its call is over: it hears that it is cancelled and no more. */
  private static final class MeasuredListener<Q, R> extends SimpleForwardingServerCallListener<Q> {
    private final MeasuredCall<Q, R> call;
    private boolean failed;

    MeasuredListener(ServerCall.Listener<Q> listener, MeasuredCall<Q, R> call) {
      super(listener);
      this.call = call;
    }

    @Override
    public void onMessage(Q message) {
      guarded(() -> super.onMessage(message));
    }

    @Override
    public void onHalfClose() {
      guarded(super::onHalfClose);
    }

    @Override
    public void onReady() {
      guarded(super::onReady);
    }

    @Override
    public void onCancel() {
      call.end(Status.CANCELLED);
      guarded(super::onCancel);
    }

    @Override
    public void onComplete() {
      if (!failed) {
        super.onComplete();
      }
    }

    private void guarded(Runnable step) {
      if (failed) {
        return;
      }
      try {
        step.run();
      } catch (RuntimeException e) {
        failed = true;
        call.fail(e);
        release();
      }
    }

    private void release() {
      try {
        super.onCancel();
      } catch (RuntimeException e) {
        LOG.debug("a handler that failed does not take its cancellation either", e);
      }
    }
  }
}
