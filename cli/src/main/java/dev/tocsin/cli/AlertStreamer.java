package dev.tocsin.cli;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc.AlertIngestionStub;
import dev.tocsin.proto.alerts.AlertMessage;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Sends alerts over one StreamAlerts call and keeps exactly one outcome for each.
 *
 * <p>One thread reads and parses ahead ({@link ReadAhead}); the caller's thread sends; the
 * transport's thread takes the acks ({@link Outcomes}). All three meet under one lock, and nothing
 * is sent or read from a file under it. For one run.
 */
final class AlertStreamer {
  /** Taken under the lock in one go: the threads meet less often then. */
  private static final int SEND_BATCH_MAX = 64;

  /** How far a rate may catch up after a pause. */
  private static final Duration CATCH_UP_MAX = Duration.ofMillis(100);

  /** At the bound of alerts in flight the sender looks for room this often, or after many acks. */
  private static final Duration FULL_PAUSE = Duration.ofMillis(5);

  /** Where nothing is due at all, the sender looks again after this. */
  private static final Duration PAUSE_MAX = Duration.ofMinutes(1);

  /**
   * How to send.
   *
   * @param perSecond alerts a second; 0 for as many as are taken
   * @param retries how often an alert is sent again that was not taken
   * @param answerMax how long to wait while nothing is answered
   */
  record Options(double perSecond, int retries, Duration answerMax) {}

  private final AlertIngestionStub stub;
  private final Options options;
  private final long intervalNanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Outcomes outcomes;

  private ReadAhead ahead;
  private ClientCallStreamObserver<AlertMessage> call;
  private Failure failure;
  private Status end;
  private int acksToWake;
  private long sendDueNanos;
  private long progressNanos;
  private long blockedSinceNanos;

  AlertStreamer(AlertIngestionStub stub, Options options, StreamReport report) {
    this.stub = stub;
    this.options = options;
    this.intervalNanos = options.perSecond() > 0 ? (long) (1e9 / options.perSecond()) : 0;
    this.outcomes = new Outcomes(options.retries(), report);
  }

  /** Sends all alerts of {@code lines}; returns when each has its outcome, or none will come. */
  StreamResult run(AlertLines lines) throws InterruptedException {
    ahead = new ReadAhead(lines, lock, changed);
    progressNanos = System.nanoTime();
    sendDueNanos = progressNanos;
    stub.streamAlerts(new Acks());
    ahead.start();
    List<AlertMessage> batch = new ArrayList<>(SEND_BATCH_MAX);
    while (next(batch)) {
      batch.forEach(call::onNext);
      batch.clear();
    }
    return finish();
  }

  /** Ends the run from another thread; {@link #run} returns with what is known. */
  void stop(String why) {
    lock.lock();
    try {
      fail(new Failure(Failure.WORK_FAILED, why));
    } finally {
      lock.unlock();
    }
  }

  /** Adds what is to be sent now, taken as sent; false when there is and will be nothing. */
  private boolean next(List<AlertMessage> batch) throws InterruptedException {
    lock.lock();
    try {
      while (failure == null && end == null) {
        long now = System.nanoTime();
        boolean blocked = !take(batch, now);
        if (!batch.isEmpty()) {
          blockedSinceNanos = 0;
          return true;
        }
        if (ahead.exhausted() && outcomes.none()) {
          failure = ahead.fault(); // what was read before has its outcome all the same
          return false;
        }
        blockedSinceNanos = !blocked ? 0 : blockedSinceNanos != 0 ? blockedSinceNanos : now;
        long pause = pauseNanos(now);
        if (pause <= 0) {
          fail(Failure.of(silence(), null));
        } else {
          acksToWake = acksToWake();
          changed.awaitNanos(acksToWake > 1 ? Math.min(pause, FULL_PAUSE.toNanos()) : pause);
        }
      }
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** Takes what may be sent now; false if there is more that only the transport holds back. */
  private boolean take(List<AlertMessage> batch, long now) {
    while (batch.size() < SEND_BATCH_MAX) {
      takeBrokenLines();
      boolean resend = resendDue(now);
      boolean some = resend || (ahead.peek() != null && outcomes.mayStart(ahead.peek()));
      if (!some || sendDueNanos > now) {
        return true;
      }
      if (!call.isReady()) {
        return false;
      }
      sendDueNanos = Math.max(sendDueNanos + intervalNanos, now - CATCH_UP_MAX.toNanos());
      progressNanos = outcomes.onWire() == 0 ? now : progressNanos;
      batch.add(resend ? outcomes.resend() : outcomes.start(ahead.take(), now));
    }
    return true;
  }

  private void takeBrokenLines() {
    while (ahead.peek() != null && ahead.peek().fault() != null) {
      outcomes.broken(ahead.take());
    }
  }

  private boolean resendDue(long now) {
    return outcomes.resendDueNanos().filter(due -> due - now <= 0).isPresent();
  }

  /** After how many acks the sender has something to do: at the bound it waits for a good part. */
  private int acksToWake() {
    int some = Math.min(Outcomes.IN_FLIGHT_MAX / 4, outcomes.onWire() / 2);
    return outcomes.full() ? Math.max(1, some) : 1;
  }

  /** How long there is nothing to do unless something changes; not over 0 if all is silent. */
  private long pauseNanos(long now) {
    long pause = PAUSE_MAX.toNanos();
    if (outcomes.onWire() > 0 || blockedSinceNanos != 0) {
      long since = outcomes.onWire() > 0 ? progressNanos : blockedSinceNanos;
      pause = Math.min(pause, since + options.answerMax().toNanos() - now);
    }
    if (sendDueNanos > now) {
      pause = Math.min(pause, sendDueNanos - now);
    }
    long resend = outcomes.resendDueNanos().orElse(now) - now;
    return resend > 0 ? Math.min(pause, resend) : pause;
  }

  /** Closes the call, in order if all is answered, and says what came of it. */
  private StreamResult finish() throws InterruptedException {
    lock.lock();
    try {
      ahead.stop();
      if (failure == null && end == null) {
        call.onCompleted();
        long left = options.answerMax().toNanos();
        while (end == null && failure == null && left > 0) {
          left = changed.awaitNanos(left);
        }
      }
      concludeFromEnd();
      if (end == null) {
        call.cancel("done", null);
      }
      return outcomes.result(Optional.ofNullable(failure));
    } finally {
      lock.unlock();
    }
  }

  /** How the call ended matters only while something was still to be learnt from it. */
  private void concludeFromEnd() {
    boolean allAnswered = ahead.exhausted() && outcomes.none();
    if (failure != null || (allAnswered && outcomes.sent() > 0)) {
      return;
    }
    if (end == null) {
      fail(Failure.of(silence(), null));
    } else if (!end.isOk()) {
      fail(Failure.of(end, Status.trailersFromThrowable(end.getCause())));
    } else if (!allAnswered) {
      fail(new Failure(Failure.WORK_FAILED, "the server ended the stream early"));
    }
  }

  private Status silence() {
    return Status.DEADLINE_EXCEEDED.withDescription(
        "no answer for %.3g s".formatted(options.answerMax().toMillis() / 1e3));
  }

  private void fail(Failure why) {
    if (failure == null) {
      failure = why;
    }
    changed.signal();
  }

  /** The acks of the call, and its end. */
  private final class Acks implements ClientResponseObserver<AlertMessage, AlertAck> {
    @Override
    public void beforeStart(ClientCallStreamObserver<AlertMessage> stream) {
      call = stream;
      stream.setOnReadyHandler(() -> locked(changed::signal));
    }

    @Override
    public void onNext(AlertAck ack) {
      locked(() -> answered(ack));
    }

    private void answered(AlertAck ack) {
      progressNanos = System.nanoTime();
      acksToWake--;
      Optional<String> fault = outcomes.answered(ack, progressNanos);
      fault.ifPresent(
          what ->
              fail(new Failure(Failure.WORK_FAILED, Terminal.clean("the server sent " + what))));
      boolean retrying =
          ack.getStatus() != AlertAck.Status.ACCEPTED; // it may be due before all else
      boolean moreToSend = acksToWake <= 0 && ahead.peek() != null;
      if (moreToSend || retrying || outcomes.none()) {
        changed.signal();
      }
    }

    @Override
    public void onError(Throwable thrown) {
      locked(() -> ended(Status.fromThrowable(thrown).withCause(thrown)));
    }

    @Override
    public void onCompleted() {
      locked(() -> ended(Status.OK));
    }

    private void ended(Status status) {
      end = status;
      changed.signal();
    }

    private void locked(Runnable step) {
      lock.lock();
      try {
        step.run();
      } finally {
        lock.unlock();
      }
    }
  }
}
