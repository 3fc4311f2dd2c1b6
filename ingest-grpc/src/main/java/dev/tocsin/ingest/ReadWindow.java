package dev.tocsin.ingest;

/**
 * How far a stream may be read ahead of its answers. Alerts and bytes that have arrived and are not
 * answered are counted; while either is at its bound no further message is asked for. Messages that
 * were asked for before may still come, so the bounds are passed by what {@code aheadMax} messages
 * hold at most, and where a message is one alert the alerts' bound is never passed at all.
 *
 * <p>Thread-safe.
 */
final class ReadWindow {
  private final int alertsMax;
  private final long bytesMax;
  private final int aheadMax;
  private int asked;
  private int alerts;
  private long bytes;
  private boolean stopped;

  /**
   * A window in which nothing was asked for yet.
   *
   * @param alertsMax un-answered ones
   * @param bytesMax of un-answered alerts and of answers that were not sent yet
   * @param aheadMax messages asked for and not arrived
   */
  ReadWindow(int alertsMax, long bytesMax, int aheadMax) {
    this.alertsMax = alertsMax;
    this.bytesMax = bytesMax;
    this.aheadMax = Math.min(aheadMax, alertsMax);
  }

  /** How many messages to ask for at the beginning. */
  synchronized int open() {
    return ask();
  }

  /** One message arrived. Gives how many more to ask for. */
  synchronized int arrived(int alertCount, long byteCount) {
    asked--;
    alerts += alertCount;
    bytes += byteCount;
    return ask();
  }

  /** Answers were sent or dropped. Gives how many more messages to ask for. */
  synchronized int answered(int alertCount, long byteCount) {
    alerts -= alertCount;
    bytes -= byteCount;
    return ask();
  }

  /** Nothing more is asked for from now on. */
  synchronized void stop() {
    stopped = true;
  }

  /** Whether all that arrived is answered. */
  synchronized boolean idle() {
    return alerts == 0;
  }

  /** Asks by the half window: each asking costs the transport a little. */
  private int ask() {
    if (stopped || asked > aheadMax / 2 || alerts >= alertsMax || bytes >= bytesMax) {
      return 0;
    }
    int more = Math.max(0, Math.min(aheadMax, alertsMax - alerts) - asked);
    asked += more;
    return more;
  }
}
