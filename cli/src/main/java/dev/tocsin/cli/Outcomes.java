package dev.tocsin.cli;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertMessage;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;

/**
 * The alerts under way and the counts of those that have their outcome: exactly one each.
 *
 * <p>Acks come in any order and name only the alert's id. Two alerts that share an id but differ
 * are therefore never under way at once: {@link #mayStart} refuses the second until the first one
 * has its outcome. Not thread-safe.
 */
final class Outcomes {
  /** Alerts without an outcome, those included that wait to be sent again. */
  static final int IN_FLIGHT_MAX = 4096;

  static final long IN_FLIGHT_BYTES_MAX = 16 << 20;

  /** However long a server asks to wait before an alert is sent again, it is not longer. */
  static final Duration RETRY_AFTER_MAX = Duration.ofSeconds(30);

  private static final Duration RETRY_AFTER_DEFAULT = Duration.ofMillis(200);

  /** An alert without an outcome. */
  private static final class Pending {
    final AlertLines.Line line;
    int attempts;
    long dueNanos;

    Pending(AlertLines.Line line) {
      this.line = line;
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

  private final int retriesMax;
  private final StreamReport report;
  private final Map<String, Shared> pending = new HashMap<>();
  private final PriorityQueue<Pending> retries =
      new PriorityQueue<>(Comparator.comparingLong(alert -> alert.dueNanos));
  private final Map<Integer, Long> positions = new HashMap<>();
  private int inFlight;
  private long inFlightBytes;
  private int onWire;
  private long firstNanos;
  private long lastNanos;
  private long sent;
  private long acknowledged;
  private long rejected;
  private long unavailable;
  private long broken;
  private long resent;

  /**
   * None yet.
   *
   * @param retriesMax how often an alert is sent again that was not taken
   */
  Outcomes(int retriesMax, StreamReport report) {
    this.retriesMax = retriesMax;
    this.report = report;
  }

  /** Whether every alert begun has its outcome. */
  boolean none() {
    return pending.isEmpty();
  }

  /** Alerts whose ack is awaited. */
  int onWire() {
    return onWire;
  }

  boolean full() {
    return inFlight >= IN_FLIGHT_MAX;
  }

  long sent() {
    return sent;
  }

  /** Whether this line's alert may be sent beside those under way. */
  boolean mayStart(AlertLines.Line line) {
    if (full() || (inFlight > 0 && inFlightBytes + line.bytes() > IN_FLIGHT_BYTES_MAX)) {
      return false;
    }
    Shared shared = pending.get(line.alert().getAlertId());
    return shared == null || shared.alert.equals(line.alert());
  }

  /** The alert of this line, to be sent now. */
  AlertMessage start(AlertLines.Line line, long now) {
    inFlight++;
    inFlightBytes += line.bytes();
    if (sent == 0) {
      firstNanos = now;
      lastNanos = now;
    }
    sent++;
    Shared shared =
        pending.computeIfAbsent(line.alert().getAlertId(), id -> new Shared(line.alert()));
    return send(new Pending(line), shared);
  }

  /** When the next alert is to be sent again; empty if none waits for that. */
  Optional<Long> resendDueNanos() {
    return Optional.ofNullable(retries.peek()).map(alert -> alert.dueNanos);
  }

  /** The alert that waits longest to be sent again, to be sent now. */
  AlertMessage resend() {
    Pending next = retries.remove();
    Shared shared = pending.get(next.line.alert().getAlertId());
    shared.waiting--;
    resent++;
    return send(next, shared);
  }

  private AlertMessage send(Pending next, Shared shared) {
    next.attempts++;
    shared.onWire.add(next);
    onWire++;
    return next.line.alert();
  }

  /** A line that is no alert. */
  void broken(AlertLines.Line line) {
    broken++;
    report.broken(line);
    report.done(done());
  }

  /**
   * An ack came.
   *
   * @return what is wrong with it, if it answers nothing or says nothing
   */
  Optional<String> answered(AlertAck ack, long now) {
    Shared shared = pending.get(ack.getAlertId());
    Pending alert = shared == null ? null : shared.onWire.poll();
    if (alert == null) {
      return Optional.of("an answer to alert '" + ack.getAlertId() + "', which awaits none");
    }
    switch (ack.getStatus()) {
      case ACCEPTED -> {
        acknowledged++;
        var position = ack.getPosition();
        positions.merge(position.getPartition(), position.getOffset(), Math::max);
        release(alert, shared);
      }
      case REJECTED -> {
        rejected++;
        report.refused(alert.line.number(), ack);
        release(alert, shared);
      }
      case RATE_LIMITED, UNAVAILABLE -> notTaken(ack, alert, shared, now);
      default -> {
        return Optional.of("an answer without a status to alert '" + ack.getAlertId() + "'");
      }
    }
    onWire--;
    lastNanos = now;
    report.done(done());
    return Optional.empty();
  }

  private void notTaken(AlertAck ack, Pending alert, Shared shared, long now) {
    if (alert.attempts > retriesMax) {
      unavailable++;
      report.refused(alert.line.number(), ack);
      release(alert, shared);
      return;
    }
    shared.waiting++;
    alert.dueNanos = now + retryAfter(ack).toNanos();
    retries.add(alert);
  }

  private void release(Pending alert, Shared shared) {
    inFlight--;
    inFlightBytes -= alert.line.bytes();
    if (shared.onWire.isEmpty() && shared.waiting == 0) {
      pending.remove(alert.line.alert().getAlertId());
    }
  }

  private long done() {
    return broken + acknowledged + rejected + unavailable;
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

  /**
   * The counts; alerts that still wait for an ack are unknown, those to be sent again not taken.
   */
  StreamResult result(Optional<Failure> failure) {
    return new StreamResult(
        sent,
        acknowledged,
        rejected,
        sent - acknowledged - rejected - onWire,
        onWire,
        broken,
        resent,
        Duration.ofNanos(lastNanos - firstNanos),
        Map.copyOf(positions),
        failure);
  }
}
