package dev.tocsin.runtime;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;

/**
 * One forwarded call, of any shape: what comes from either side goes to the other as it is. The
 * next message of a side is asked for only when the other can take it, so neither is ever held here
 * more than one at a time. The deadline and the cancellation of the caller go with the gRPC context
 * in which it is started. Never blocks.
 */
final class ForwardedCall {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  /** What goes along both ways beside what gRPC itself writes; nothing else does. */
  private static final List<Metadata.Key<String>> PASSED =
      List.of(ascii("traceparent"), ascii("tracestate"), ascii("x-request-id"));

  private final ServerCall<byte[], byte[]> caller;
  private final ClientCall<byte[], byte[]> target;
  private final Runnable ended;

  /** Whether the caller's next message is asked for when the target is ready. */
  private boolean callerHeld;

  /** Whether the target's next message is asked for when the caller is ready. */
  private boolean targetHeld;

  /**
   * A call that is yet to be started.
   *
   * @param ended run once, at the end, if it was started
   */
  ForwardedCall(
      ServerCall<byte[], byte[]> caller, ClientCall<byte[], byte[]> target, Runnable ended) {
    this.caller = caller;
    this.target = target;
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
    target.request(1);
    caller.request(1);
    return new FromCaller();
  }

  private final class FromCaller extends ServerCall.Listener<byte[]> {
    @Override
    public void onMessage(byte[] message) {
      target.sendMessage(message);
      synchronized (ForwardedCall.this) {
        callerHeld = !target.isReady();
        if (callerHeld) {
          return;
        }
      }
      caller.request(1);
    }

    @Override
    public void onHalfClose() {
      target.halfClose();
    }

    @Override
    public void onCancel() {
      target.cancel("the caller cancelled", null);
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
      ended.run();
      byte[] details = trailers.get(DETAILS);
      Metadata passed = passed(trailers);
      if (details != null) {
        passed.put(DETAILS, details);
      } else if (status.getCode() == Status.Code.UNAVAILABLE) {
        // Ours always say when to ask again: this one is the connection's, and tells of addresses.
        StatusRuntimeException away = away();
        caller.close(away.getStatus(), away.getTrailers());
        return;
      }
      caller.close(status.withCause(null), passed);
    }
  }

  static StatusRuntimeException away() {
    return Errors.unavailable("what answers this cannot be reached now", RETRY_AFTER);
  }

  static StatusRuntimeException tooMany() {
    return Errors.unavailable("too many calls are under way", RETRY_AFTER);
  }

  private static Metadata.Key<String> ascii(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
