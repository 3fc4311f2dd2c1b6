package dev.tocsin.cli;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc.AlertIngestionStub;
import dev.tocsin.proto.alerts.AlertMessage;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Sends alerts over one StreamAlerts call and keeps exactly one outcome for each.
 *
 * <p>One thread reads and parses ahead; the caller's thread sends; the transport's thread takes the
 * acks. All three meet under one lock, and nothing is sent or read from a file under it. Bounds:
 * {@link #READ_AHEAD_MAX} lines read ahead, {@link #IN_FLIGHT_MAX} alerts without an outcome (those
 * that wait to be sent again included); at a bound whoever is ahead waits.
 *
 * <p>Acks come in any order and name only the alert's id. Two alerts that share an id but differ
 * are therefore never under way at once: the second waits for the first one's outcome. For one run.
 */
final class AlertStreamer {
  static final int READ_AHEAD_MAX = 1024;
  static final long READ_AHEAD_BYTES_MAX = 8 << 20;
  static final int IN_FLIGHT_MAX = 4096;
  static final long IN_FLIGHT_BYTES_MAX = 16 << 20;

  /** However long a server asks to wait before an alert is sent again, it is not longer. */
  static final Duration RETRY_AFTER_MAX = Duration.ofSeconds(30);

  private static final Duration RETRY_AFTER_DEFAULT = Duration.ofMillis(200);

  /** How far a rate may catch up after a pause. */
  private static final Duration CATCH_UP_MAX = Duration.ofMillis(100);

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

  /** An alert without an outcome. */
  private static final class Pending {
    final AlertLines.Line line;
    int attempts;
    long dueNanos;

    Pending(AlertLines.Line line) {
      this.line = line;
    }

    String id() {
      return line.alert().getAlertId();
    }
  }

  /** The alerts without an outcome that share an id; they are equal. */
  private static final class Shared {
    final ArrayDeque<Pending> onWire = new ArrayDeque<>(1);
    final AlertMessage alert;
    int waiting;

    Shared(AlertMessage alert) {
      this.alert = alert;
    }
  }

  private final AlertIngestionStub stub;
  private final Options options;
  private final StreamReport report;
  private final long intervalNanos;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Condition readOn = lock.newCondition();
  private final ArrayDeque<AlertLines.Line> ahead = new ArrayDeque<>();
  private final Map<String, Shared> pending = new HashMap<>();
  private final PriorityQueue<Pending> retries =
      new PriorityQueue<>(Comparator.comparingLong(p -> p.dueNanos));
  private final Map<Integer, Long> positions = new HashMap<>();

  private ClientCallStreamObserver<AlertMessage> call;
  private Failure failure;
  private Status end;
  private boolean inputEnded;
  private boolean stopped;
  private long aheadBytes;
  private int inFlight;
  private long inFlightBytes;
  private int onWire;
  private long sendDueNanos;
  private long progressNanos;
  private long firstNanos;
  private long lastNanos;
  private long sent;
  private long acknowledged;
  private long rejected;
  private long unavailable;
  private long broken;
  private long resent;

  AlertStreamer(AlertIngestionStub stub, Options options, StreamReport report) {
    this.stub = stub;
    this.options = options;
    this.report = report;
    this.intervalNanos = options.perSecond() > 0 ? (long) (1e9 / options.perSecond()) : 0;
  }

  /** Sends all alerts of {@code lines}; returns when each has its outcome, or none will come. */
  StreamResult run(AlertLines lines) throws InterruptedException {
    progressNanos = System.nanoTime();
    sendDueNanos = progressNanos;
    stub.streamAlerts(new Acks());
    Thread reader = new Thread(() -> read(lines), "alert-reader");
    reader.setDaemon(true); // it may hang in a read that nothing ends
    reader.start();
    for (Pending next = next(); next != null; next = next()) {
      call.onNext(next.line.alert());
    }
    finish();
    return result();
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

  // The reader's thread.

  private void read(AlertLines lines) {
    try {
      for (AlertLines.Line line = lines.next(); line != null && offer(line); ) {
        line = lines.next();
      }
      inputEnded(null);
    } catch (IOException e) {
      inputEnded(new Failure(Failure.WORK_FAILED, "cannot read on: " + Failure.describe(e)));
    } catch (InterruptedException e) {
      inputEnded(new Failure(Failure.WORK_FAILED, "interrupted"));
    } catch (RuntimeException | Error e) {
      inputEnded(Failure.of(e));
    }
  }

  private boolean offer(AlertLines.Line line) throws InterruptedException {
    lock.lock();
    try {
      while (!stopped
          && (ahead.size() >= READ_AHEAD_MAX
              || (!ahead.isEmpty() && aheadBytes + line.bytes() > READ_AHEAD_BYTES_MAX))) {
        readOn.await();
      }
      ahead.add(line);
      aheadBytes += line.bytes();
      if (ahead.size() == 1) {
        changed.signal();
      }
      return !stopped;
    } finally {
      lock.unlock();
    }
  }

  private void inputEnded(Failure fault) {
    lock.lock();
    try {
      inputEnded = true;
      if (fault != null) {
        fail(fault);
      }
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  // The caller's thread.

  /** The next alert to put on the wire, taken as sent; null when there is none and will be none. */
  private Pending next() throws InterruptedException {
    lock.lock();
    try {
      long blockedSince = 0;
      while (failure == null && end == null) {
        countBrokenLines();
        if (inputEnded && ahead.isEmpty() && pending.isEmpty()) {
          return null;
        }
        long now = System.nanoTime();
        boolean some = retryDue(now) || mayStart(ahead.peek());
        if (some && sendDueNanos <= now && call.isReady()) {
          return take(now);
        }
        boolean blocked = some && sendDueNanos <= now;
        blockedSince = blocked && blockedSince != 0 ? blockedSince : now;
        long pause = pauseNanos(now, blocked, blockedSince);
        if (pause <= 0) {
          fail(Failure.of(silence(), null));
        } else {
          changed.awaitNanos(pause);
        }
      }
      return null;
    } finally {
      lock.unlock();
    }
  }

  private void countBrokenLines() {
    while (!ahead.isEmpty() && ahead.peek().fault() != null) {
      broken++;
      report.broken(dequeue());
      report.done(broken + answered());
    }
  }

  private AlertLines.Line dequeue() {
    AlertLines.Line line = ahead.poll();
    aheadBytes -= line.bytes();
    if (ahead.size() <= READ_AHEAD_MAX / 2) {
      readOn.signal();
    }
    return line;
  }

  private boolean retryDue(long now) {
    return !retries.isEmpty() && retries.peek().dueNanos <= now;
  }

  private boolean mayStart(AlertLines.Line line) {
    if (line == null || inFlight >= IN_FLIGHT_MAX) {
      return false;
    }
    if (inFlight > 0 && inFlightBytes + line.bytes() > IN_FLIGHT_BYTES_MAX) {
      return false;
    }
    Shared shared = pending.get(line.alert().getAlertId());
    return shared == null || shared.alert.equals(line.alert());
  }

  private Pending take(long now) {
    sendDueNanos = Math.max(sendDueNanos + intervalNanos, now - CATCH_UP_MAX.toNanos());
    Pending next = retryDue(now) ? retries.poll() : start(now);
    Shared shared = pending.computeIfAbsent(next.id(), id -> new Shared(next.line.alert()));
    if (next.attempts > 0) {
      shared.waiting--;
      resent++;
    }
    next.attempts++;
    shared.onWire.add(next);
    if (onWire == 0) {
      progressNanos = now;
    }
    onWire++;
    return next;
  }

  private Pending start(long now) {
    Pending next = new Pending(dequeue());
    inFlight++;
    inFlightBytes += next.line.bytes();
    if (sent == 0) {
      firstNanos = now;
      lastNanos = now;
    }
    sent++;
    return next;
  }

  /** How long there is nothing to do unless something changes; not over 0 if all is silent. */
  private long pauseNanos(long now, boolean blocked, long blockedSince) {
    long pause = PAUSE_MAX.toNanos();
    if (onWire > 0 || blocked) {
      long since = onWire > 0 ? progressNanos : blockedSince;
      pause = Math.min(pause, since + options.answerMax().toNanos() - now);
    }
    if (sendDueNanos > now) {
      pause = Math.min(pause, sendDueNanos - now);
    }
    if (!retries.isEmpty() && retries.peek().dueNanos > now) {
      pause = Math.min(pause, retries.peek().dueNanos - now);
    }
    return pause;
  }

  private Status silence() {
    return Status.DEADLINE_EXCEEDED.withDescription(
        "no answer for %.3g s".formatted(options.answerMax().toMillis() / 1e3));
  }

  /** Closes the call in order if all is answered, else at once. */
  private void finish() throws InterruptedException {
    lock.lock();
    try {
      stopped = true;
      readOn.signal();
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
    } finally {
      lock.unlock();
    }
  }

  /** How the call ended matters only while something was still to be learnt from it. */
  private void concludeFromEnd() {
    boolean allAnswered = inputEnded && ahead.isEmpty() && pending.isEmpty();
    if (failure != null || (allAnswered && sent > 0)) {
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

  private StreamResult result() {
    lock.lock();
    try {
      long unanswered = onWire;
      return new StreamResult(
          sent,
          acknowledged,
          rejected,
          sent - acknowledged - rejected - unanswered,
          unanswered,
          broken,
          resent,
          Duration.ofNanos(lastNanos - firstNanos),
          Map.copyOf(positions),
          Optional.ofNullable(failure));
    } finally {
      lock.unlock();
    }
  }

  // The transport's thread.

  private void answered(AlertAck ack) {
    Shared shared = pending.get(ack.getAlertId());
    Pending done = shared == null ? null : shared.onWire.poll();
    if (done == null) {
      fail(protocolFault("an answer to alert '" + ack.getAlertId() + "', which awaits none"));
      return;
    }
    lastNanos = System.nanoTime();
    progressNanos = lastNanos;
    onWire--;
    switch (ack.getStatus()) {
      case ACCEPTED -> {
        acknowledged++;
        var position = ack.getPosition();
        positions.merge(position.getPartition(), position.getOffset(), Math::max);
        release(done, shared);
      }
      case REJECTED -> {
        rejected++;
        report.refused(done.line.number(), ack);
        release(done, shared);
      }
      case RATE_LIMITED, UNAVAILABLE -> notTaken(ack, done, shared);
      default -> {
        onWire++; // its outcome stays unknown
        fail(protocolFault("an answer without a status to alert '" + ack.getAlertId() + "'"));
      }
    }
  }

  private void notTaken(AlertAck ack, Pending done, Shared shared) {
    if (done.attempts > options.retries()) {
      unavailable++;
      report.refused(done.line.number(), ack);
      release(done, shared);
      return;
    }
    shared.waiting++;
    done.dueNanos = lastNanos + retryAfter(ack).toNanos();
    retries.add(done);
  }

  private void release(Pending done, Shared shared) {
    inFlight--;
    inFlightBytes -= done.line.bytes();
    if (shared.onWire.isEmpty() && shared.waiting == 0) {
      pending.remove(done.id());
    }
    report.done(broken + answered());
  }

  private long answered() {
    return acknowledged + rejected + unavailable;
  }

  private void fail(Failure why) {
    if (failure == null) {
      failure = why;
    }
    changed.signal();
  }

  private static Duration retryAfter(AlertAck ack) {
    if (!ack.hasRetryAfter()) {
      return RETRY_AFTER_DEFAULT;
    }
    var asked = ack.getRetryAfter();
    Duration after = Duration.ofSeconds(asked.getSeconds(), asked.getNanos());
    if (after.isNegative()) {
      return Duration.ZERO;
    }
    return after.compareTo(RETRY_AFTER_MAX) < 0 ? after : RETRY_AFTER_MAX;
  }

  private static Failure protocolFault(String what) {
    return new Failure(Failure.WORK_FAILED, Terminal.clean("the server sent " + what));
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
      locked(
          () -> {
            answered(ack);
            changed.signal();
          });
    }

    @Override
    public void onError(Throwable thrown) {
      ended(Status.fromThrowable(thrown).withCause(thrown));
    }

    @Override
    public void onCompleted() {
      ended(Status.OK);
    }

    private void ended(Status status) {
      locked(
          () -> {
            end = status;
            changed.signal();
          });
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
