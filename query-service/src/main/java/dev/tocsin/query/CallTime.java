package dev.tocsin.query;

import io.grpc.Deadline;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The time that a caller's call has. It ends a little before the caller's own deadline, so that the
 * caller hears what went wrong and when to ask again.
 */
final class CallTime {
  /** Less than this is too short to be divided: then the caller's deadline is the only one. */
  private static final Duration TIGHT = Duration.ofMillis(20);

  private static final Duration MARGIN_MAX = Duration.ofMillis(200);
  private static final int MARGIN_SHARE = 10;

  private final Deadline end;
  private final boolean tight;
  private final long totalNanos;

  private CallTime(Deadline end, boolean tight) {
    this.end = end;
    this.tight = tight;
    this.totalNanos = end.timeRemaining(TimeUnit.NANOSECONDS);
  }

  /**
   * The time of a call that begins now.
   *
   * @param caller the caller's deadline, or null
   * @param waits whether the call waits for the log; if not, {@code max} ends it even where the
   *     caller would wait longer
   * @param max how long a call may take where the caller does not say
   */
  static CallTime of(Deadline caller, boolean waits, Duration max) {
    if (caller == null) {
      return new CallTime(Deadline.after(max.toNanos(), TimeUnit.NANOSECONDS), false);
    }
    long left = caller.timeRemaining(TimeUnit.NANOSECONDS);
    if (left < TIGHT.toNanos()) {
      return new CallTime(caller, true);
    }
    long margin = Math.min(left / MARGIN_SHARE, MARGIN_MAX.toNanos());
    long given = waits ? left - margin : Math.min(left - margin, max.toNanos());
    return new CallTime(Deadline.after(given, TimeUnit.NANOSECONDS), false);
  }

  Deadline end() {
    return end;
  }

  /** When a first attempt has to be over so that a second one of the same length fits. */
  Deadline half() {
    return tight ? end : Deadline.after(leftNanos() / 2, TimeUnit.NANOSECONDS);
  }

  /** Whether there was never time for more than one attempt. */
  boolean tight() {
    return tight;
  }

  /** Whether more than {@code pause} is left. */
  boolean allows(Duration pause) {
    return leftNanos() > pause.toNanos();
  }

  /** Whether more than half of it is gone. */
  boolean late() {
    return leftNanos() < totalNanos / 2;
  }

  private long leftNanos() {
    return end.timeRemaining(TimeUnit.NANOSECONDS);
  }
}
