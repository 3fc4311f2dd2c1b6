package dev.tocsin.runtime;

import io.grpc.Context;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Bounds what requests hold that have not arrived whole, of all calls together: messages of which a
 * part came, and the message of a call that has only one until its caller says that it is the last.
 * They lie there, as many as calls are open, for as long as their callers like; beyond the bound
 * the call is reset that is at it the longest, so one that is sent at once never waits for one that
 * is not.
 *
 * <p>Thread-safe.
 */
final class PartialMessages extends ServerStreamTracer.Factory implements ServerInterceptor {
  /** What a call may hold uncounted: nearly all alerts are smaller, and pay nothing for this. */
  private static final long COUNTED_FROM_BYTES = 4 << 10;

  /**
   * What each piece of a message costs beside its bytes: it is a part of a buffer that it keeps.
   */
  private static final long PIECE_BYTES = 1 << 10;

  private static final Logger LOG = LoggerFactory.getLogger(PartialMessages.class);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(10);
  private static final Context.Key<Tracer> KEY = Context.key("partial-messages");

  private final long bytesMax;
  private final Counter resets;
  private final SeldomLine seldom = new SeldomLine();

  /** Those that are counted, the oldest first. */
  private final Map<Tracer, Long> counted = new LinkedHashMap<>(); // under its lock

  private long bytes; // under the lock of counted

  PartialMessages(long bytesMax, MeterRegistry meters) {
    this.bytesMax = bytesMax;
    this.resets =
        Counter.builder("tocsin.calls.reset.partial")
            .description("Calls reset because unfinished messages held too much memory")
            .register(meters);
  }

  @Override
  public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
    return new Tracer();
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    Tracer tracer = KEY.get();
    if (tracer == null) {
      return next.startCall(call, headers);
    }
    tracer.of(call);
    ServerCall.Listener<Q> listener = next.startCall(call, headers);
    if (!call.getMethodDescriptor().getType().clientSendsOneMessage()) {
      return listener;
    }
    return new SimpleForwardingServerCallListener<>(listener) {
      @Override
      public void onHalfClose() {
        tracer.handedOn();
        super.onHalfClose();
      }
    };
  }

  private void count(Tracer tracer, long held) {
    Tracer oldest = null;
    synchronized (counted) {
      Long before = counted.put(tracer, held);
      bytes += held - (before == null ? 0 : before);
      if (bytes > bytesMax) {
        oldest = counted.keySet().iterator().next();
        bytes -= counted.remove(oldest);
      }
    }
    if (oldest != null) {
      oldest.reset();
    }
  }

  private void forget(Tracer tracer) {
    synchronized (counted) {
      Long held = counted.remove(tracer);
      bytes -= held == null ? 0 : held;
    }
  }

  /**
   * Of one call. Its transport calls it, one thread at a time, and for {@link #handedOn} a
   * service's.
   */
  private final class Tracer extends ServerStreamTracer {
    private volatile ServerCall<?, ?> call;
    private volatile boolean reset;
    private volatile boolean one;
    private final AtomicLong held = new AtomicLong();

    @Override
    public Context filterContext(Context context) {
      return context.withValue(KEY, this);
    }

    @Override
    public void serverCallStarted(ServerCallInfo<?, ?> info) {
      one = info.getMethodDescriptor().getType().clientSendsOneMessage();
    }

    @Override
    public void inboundWireSize(long more) {
      long now = held.addAndGet(more + PIECE_BYTES);
      if (now > COUNTED_FROM_BYTES && !reset) {
        count(this, now);
      }
    }

    @Override
    public void inboundMessageRead(int number, long wireBytes, long bytes) {
      if (!one) {
        release();
      }
    }

    /** Its one message has gone to the service, whose it is now. */
    void handedOn() {
      release();
    }

    @Override
    public void streamClosed(Status status) {
      release();
    }

    private void release() {
      if (held.getAndSet(0) > COUNTED_FROM_BYTES) {
        forget(this);
      }
    }

    /** It may be too late already: calls are begun by other threads. */
    void of(ServerCall<?, ?> begun) {
      call = begun;
      if (reset) {
        end(begun);
      }
    }

    private void reset() {
      reset = true;
      resets.increment();
      if (seldom.isDue()) {
        LOG.warn(
            "unfinished messages hold over {} bytes: the call of the oldest is reset, and {}"
                + " others were since this was said last",
            bytesMax,
            seldom.leftOut());
      }
      ServerCall<?, ?> begun = call;
      if (begun != null) {
        end(begun);
      }
    }

    private static void end(ServerCall<?, ?> begun) {
      StatusRuntimeException why =
          CallReset.of(Errors.exhausted("too many messages are unfinished at once", RETRY_AFTER));
      begun.close(why.getStatus(), why.getTrailers());
    }
  }
}
