package dev.tocsin.access;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.time.Duration;

/**
 * A call that lasts, and that its caller's token may not. When the token ends, a call that takes
 * messages is told that its caller has sent the last one: it answers what it has, and the OK with
 * which it then ends becomes UNAUTHENTICATED. One that only sends is ended at once. {@link #cut}
 * ends the call whose caller does not take its last answers.
 *
 * <p>The service's side is called by one thread at a time, as gRPC promises it, and so is gRPC's:
 * each has a lock, since the token ends on a thread of neither.
 */
final class ExpiringCall<Q, R> extends SimpleForwardingServerCall<Q, R> {
  /** How long a caller has to take its last answers: longer than the log may take to give them. */
  static final Duration LAST_ANSWERS_MAX = Duration.ofSeconds(15);

  private static final Status EXPIRED =
      Status.UNAUTHENTICATED.withDescription("the token has expired: call again with a new one");

  private final Object sending = new Object();
  private final Inbound inbound = new Inbound();
  private ServerCall.Listener<Q> service;
  private Runnable onEnd = () -> {};
  private boolean closed; // under sending
  private boolean cut; // under sending
  private volatile boolean expired;

  ExpiringCall(ServerCall<Q, R> call) {
    super(call);
  }

  /** To be called before {@link #listener} is given away. */
  void listen(ServerCall.Listener<Q> listener) {
    this.service = listener;
  }

  /** What to do once the call is over; it may be over already. */
  void onEnd(Runnable end) {
    synchronized (inbound) {
      if (inbound.over) {
        end.run();
      } else {
        onEnd = end;
      }
    }
  }

  ServerCall.Listener<Q> listener() {
    return inbound;
  }

  /** The token has ended. */
  void expire() {
    if (getMethodDescriptor().getType().clientSendsOneMessage()) {
      cut();
      return;
    }
    synchronized (inbound) {
      expired = true;
      inbound.halfClose();
    }
  }

  /**
   * Ends the call if it has not ended. The service is told at once: the transport would tell it
   * only when the caller has taken everything, which may be never.
   */
  void cut() {
    synchronized (sending) {
      if (closed) {
        return;
      }
      closed = true;
      cut = true;
      super.close(EXPIRED, new Metadata());
    }
    inbound.onCancel();
  }

  @Override
  public void sendMessage(R message) {
    synchronized (sending) {
      if (!cut) {
        super.sendMessage(message);
      }
    }
  }

  @Override
  public void sendHeaders(Metadata headers) {
    synchronized (sending) {
      if (!cut) {
        super.sendHeaders(headers);
      }
    }
  }

  @Override
  public void close(Status status, Metadata trailers) {
    synchronized (sending) {
      if (!closed) {
        closed = true;
        super.close(expired && status.isOk() ? EXPIRED : status, trailers);
      }
    }
  }

  /** What comes from the caller; under its own lock. */
  private final class Inbound extends ForwardingServerCallListener<Q> {
    private boolean halfClosed;
    private boolean over;

    @Override
    protected ServerCall.Listener<Q> delegate() {
      return service;
    }

    @Override
    public synchronized void onMessage(Q message) {
      if (!halfClosed && !expired) {
        super.onMessage(message);
      }
    }

    @Override
    public synchronized void onHalfClose() {
      halfClose();
    }

    private void halfClose() {
      if (!halfClosed && !over) {
        halfClosed = true;
        super.onHalfClose();
      }
    }

    @Override
    public synchronized void onReady() {
      super.onReady();
    }

    @Override
    public synchronized void onCancel() {
      if (end()) {
        super.onCancel();
      }
    }

    /** What was cut is cancelled to the service, whose own end it is not. */
    @Override
    public synchronized void onComplete() {
      if (end()) {
        if (isCut()) {
          super.onCancel();
        } else {
          super.onComplete();
        }
      }
    }

    private boolean end() {
      if (over) {
        return false;
      }
      over = true;
      onEnd.run();
      return true;
    }
  }

  private boolean isCut() {
    synchronized (sending) {
      return cut;
    }
  }

  @Override
  public boolean isCancelled() {
    return isCut() || super.isCancelled();
  }
}
