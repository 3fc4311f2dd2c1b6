package dev.tocsin.ingest;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What the process holds that the log has not answered yet: alerts and their bytes, each under a
 * bound. Whoever acquired releases the same, once, whatever came of it.
 *
 * <p>Thread-safe. Two that ask at once at the bound may both be refused although one had room.
 */
final class InFlight {
  private final int alertsMax;
  private final long bytesMax;
  private final AtomicInteger alerts = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();

  InFlight(int alertsMax, long bytesMax) {
    this.alertsMax = alertsMax;
    this.bytesMax = bytesMax;
  }

  /**
   * Takes room for one alert, if there is.
   *
   * @param worth decides how much of each bound may be full with it
   */
  boolean acquire(long alertBytes, Worth worth) {
    boolean fits = alerts.incrementAndGet() <= worth.of(alertsMax);
    fits &= bytes.addAndGet(alertBytes) <= worth.of(bytesMax);
    if (!fits) {
      release(1, alertBytes);
    }
    return fits;
  }

  /** Whether what is held leaves room for alerts of this worth. */
  boolean fits(Worth worth) {
    return alerts.get() < worth.of(alertsMax) && bytes.get() < worth.of(bytesMax);
  }

  /** Gives back what was acquired. */
  void release(int alertCount, long alertBytes) {
    bytes.addAndGet(-alertBytes);
    alerts.addAndGet(-alertCount);
  }

  int alerts() {
    return alerts.get();
  }

  long bytes() {
    return bytes.get();
  }
}
