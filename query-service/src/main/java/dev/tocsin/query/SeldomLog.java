package dev.tocsin.query;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * Errors of one kind that may come with every call: one line a minute at most, which says how many
 * there were since the last. Thread-safe.
 */
final class SeldomLog {
  private static final Duration INTERVAL = Duration.ofMinutes(1);

  private final Logger log;
  private final LongSupplier nanos;
  private final AtomicLong untold = new AtomicLong();
  private final AtomicLong next;

  /**
   * One that has told nothing yet.
   *
   * @param nanos the present, as {@link System#nanoTime}
   */
  SeldomLog(Logger log, LongSupplier nanos) {
    this.log = log;
    this.nanos = nanos;
    this.next = new AtomicLong(nanos.getAsLong());
  }

  /** Counts one, and tells of it if it is time. Returns whether it did. */
  boolean error(String what) {
    untold.incrementAndGet();
    long nowNanos = nanos.getAsLong();
    long dueNanos = next.get();
    if (nowNanos - dueNanos < 0 || !next.compareAndSet(dueNanos, nowNanos + INTERVAL.toNanos())) {
      return false;
    }
    log.error("{} ({} since this was last told)", what, untold.getAndSet(0));
    return true;
  }
}
