package dev.tocsin.runtime;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Whether something that others can make happen as often as they like is to be logged this time:
 * once a minute. Thread-safe.
 */
final class SeldomLine {
  private static final Duration PAUSE = Duration.ofMinutes(1);

  private final LongSupplier nanoTime;
  private final AtomicLong nextNanos;
  private final AtomicLong leftOut = new AtomicLong();

  SeldomLine() {
    this(System::nanoTime);
  }

  SeldomLine(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.nextNanos = new AtomicLong(nanoTime.getAsLong());
  }

  /** Whether to log; if not, it is counted. */
  boolean isDue() {
    long now = nanoTime.getAsLong();
    long next = nextNanos.get();
    boolean due = now - next >= 0 && nextNanos.compareAndSet(next, now + PAUSE.toNanos());
    if (!due) {
      leftOut.incrementAndGet();
    }
    return due;
  }

  /** How often it was not logged since this was asked last. */
  long leftOut() {
    return leftOut.getAndSet(0);
  }
}
