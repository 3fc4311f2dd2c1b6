package dev.tocsin.runtime;

import com.google.rpc.Code;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * One forwarded call, of any shape: what comes from either side goes to the other as it is. The
 * next message of a side is asked for only when the other can take it, so of either at most one is
 * held here; and beyond that what the connections hold of one call: from the target {@link
 * Forwarder#WINDOW_BYTES}, and 32 KiB that wait for the caller. The deadline and the cancellation
 * of the caller go with the gRPC context in which it is started. Never blocks.
 */
final class ForwardedCall {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  /** The reason that a query-service gives too. */
  private static final String OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN";

  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  /** What goes along both ways beside what gRPC itself writes; nothing else does. */
  private static final List<Metadata.Key<String>> PASSED =
      List.of(ascii("traceparent"), ascii("tracestate"), ascii("x-request-id"));

  private final ServerCall<byte[], byte[]> caller;
  private final ClientCall<byte[], byte[]> target;
  private final SentWatch watch;
  private final Consumer<ForwardedCall> ended;

  /** Whether the caller's next message is asked for when the target is ready. */
  private boolean callerHeld;

  /** Whether the target's next message is asked for when the caller is ready. */
  private boolean targetHeld;

  private boolean started;

  /** Whether it is to end before it does by itself. */
  private boolean stopped;

  /**
   * A call that is yet to be started.
   *
   * @param watch follows {@code target}
   * @param ended given this once, at the end, if it was started
   */
  ForwardedCall(
      ServerCall<byte[], byte[]> caller,
      ClientCall<byte[], byte[]> target,
      SentWatch watch,
      Consumer<ForwardedCall> ended) {
    this.caller = caller;
    this.target = target;
    this.watch = watch;
    this.ended = ended;
  }

  /** What of a caller's headers goes along. */
  static Metadata passed(Metadata from) {
    Metadata to = new Metadata();
    for (Metadata.Key<String> key : PASSED) {
      Iterable<String> values = from.getAll(key);
      if (values != null) {
        values.forEach(value -> to.put(key, value));
      }
    }
    return to;
  }

  /** Starts it with these headers. */
  ServerCall.Listener<byte[]> start(Metadata headers) {
    target.start(new FromTarget(), headers);
    boolean stop;
    synchronized (this) {
      started = true;
      stop = stopped;
    }
    if (stop) {
      cancel("the server stops");
    } else {
      target.request(1);
      caller.request(1);
    }
    return new FromCaller();
  }

  /** Ends it with UNAVAILABLE, because this server stops. From any thread, at any time. */
  void stop() {
    synchronized (this) {
      stopped = true;
      if (!started) {
        return;
      }
    }
    cancel("the server stops");
  }

  /** The caller then hears of it from the target's side, behind what came before. */
  private void cancel(String why) {
    target.cancel(why, null);
  }

  private synchronized boolean stopped() {
    return stopped;
  }

  private final class FromCaller extends ServerCall.Listener<byte[]> {
    @Override
    public void onMessage(byte[] message) {
      synchronized (ForwardedCall.this) {
        if (stopped) {
          return; // nothing can be sent behind a cancellation
        }
        target.sendMessage(message);
        callerHeld = !target.isReady();
        if (callerHeld) {
          return;
        }
      }
      caller.request(1);
    }

    @Override
    public void onHalfClose() {
      synchronized (ForwardedCall.this) {
        if (!stopped) {
          target.halfClose();
        }
      }
    }

    @Override
    public void onCancel() {
      cancel("the caller cancelled");
    }

    @Override
    public void onReady() {
      synchronized (ForwardedCall.this) {
        if (!targetHeld) {
          return;
        }
        targetHeld = false;
      }
      target.request(1);
    }
  }

  private final class FromTarget extends ClientCall.Listener<byte[]> {
    @Override
    public void onHeaders(Metadata headers) {
      caller.sendHeaders(passed(headers));
    }

    @Override
    public void onMessage(byte[] message) {
      caller.sendMessage(message);
      synchronized (ForwardedCall.this) {
        targetHeld = !caller.isReady();
        if (targetHeld) {
          return;
        }
      }
      target.request(1);
    }

    @Override
    public void onReady() {
      synchronized (ForwardedCall.this) {
        if (!callerHeld) {
          return;
        }
        callerHeld = false;
      }
      caller.request(1);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      ended.accept(ForwardedCall.this);
      byte[] details = trailers.get(DETAILS);
      if (details == null && lost(status)) {
        StatusRuntimeException error = lost();
        caller.close(error.getStatus(), error.getTrailers());
        return;
      }
      Metadata passed = passed(trailers);
      if (details != null) {
        passed.put(DETAILS, details);
      }
      caller.close(status.withCause(null), passed);
    }
  }

  /**
   * Whether it was the connection that ended the call: our servers' own UNAVAILABLE has details,
   * and they cancel a call of a caller who is still there only where they are cut off themselves.
   * UNKNOWN they never say; gRPC's client does of a connection that closes while a call begins.
   */
  private static boolean lost(Status status) {
    return switch (status.getCode()) {
      case UNAVAILABLE, CANCELLED, UNKNOWN -> true;
      default -> false;
    };
  }

  /** What the connection says of it tells of addresses, and not what to do. */
  private StatusRuntimeException lost() {
    if (stopped()) {
      return Errors.unavailable("the server stops", RETRY_AFTER);
    }
    MethodDescriptor<?, ?> method = caller.getMethodDescriptor();
    return watch.sent() && !method.isSafe() ? unknown() : away();
  }

  private static StatusRuntimeException unknown() {
    return Errors.because(
        Code.UNAVAILABLE,
        OUTCOME_UNKNOWN,
        "what answers this went away: whether it took effect is not known;"
            + " ask again only under the same request_id",
        Map.of());
  }

  private static StatusRuntimeException away() {
    return Errors.unavailable("what answers this cannot be reached now", RETRY_AFTER);
  }

  static StatusRuntimeException tooMany() {
    return Errors.unavailable("too many calls are under way", RETRY_AFTER);
  }

  private static Metadata.Key<String> ascii(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
