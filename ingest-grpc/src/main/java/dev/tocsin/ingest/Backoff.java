package dev.tocsin.ingest;

import java.time.Duration;
import java.util.function.DoubleSupplier;

/**
 * How long to wait before the next try of something that failed: each time about twice as long, up
 * to a bound. The last half of each wait is left to chance, so that many that failed at once do not
 * come back at once. Of one thread.
 */
final class Backoff {
  private final Duration first;
  private final Duration max;
  private final DoubleSupplier chance;
  private Duration whole;

  /**
   * A row of waits.
   *
   * @param chance from 0 to 1
   */
  Backoff(Duration first, Duration max, DoubleSupplier chance) {
    this.first = first;
    this.max = max;
    this.chance = chance;
    this.whole = first;
  }

  /** The next wait: from half of it to the whole. */
  Duration next() {
    long nanos = whole.toNanos();
    Duration twice = whole.multipliedBy(2);
    whole = twice.compareTo(max) < 0 ? twice : max;
    return Duration.ofNanos(nanos / 2 + (long) (chance.getAsDouble() * (nanos - nanos / 2)));
  }

  /** It worked: begin with the first wait again. */
  void reset() {
    whole = first;
  }
}
