package dev.tocsin.ingest;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The alerts that wait for one partition, and when they go. While few entries are un-acknowledged
 * an alert goes at once, so a quiet edge answers fast. Else alerts collect until an entry is
 * acknowledged, is full, or they have waited long enough, so a busy edge writes large entries.
 *
 * <p>Of the appender's thread, but for {@link #open}, {@link #sent} and {@link #answered}.
 */
final class PartitionLane {
  /** Entries on their way to the log that keep further alerts collecting. */
  static final int UNANSWERED_MAX = 2;

  /** How long alerts collect at most, however slow the log is. */
  static final Duration COLLECT_MAX = Duration.ofMillis(20);

  private final int partition;
  private final int alertsMax;
  private final int bytesMax;
  private final AtomicInteger unanswered = new AtomicInteger();
  private final Deque<PendingAlert> waiting = new ArrayDeque<>();
  private long waitingBytes;

  /**
   * An empty lane.
   *
   * @param alertsMax of one entry
   * @param bytesMax of one entry's alerts; more than one alert can have
   */
  PartitionLane(int partition, int alertsMax, int bytesMax) {
    this.partition = partition;
    this.alertsMax = alertsMax;
    this.bytesMax = bytesMax;
  }

  int partition() {
    return partition;
  }

  /** Whether an alert that comes now goes at once. From any thread. */
  boolean open() {
    return unanswered.get() < UNANSWERED_MAX;
  }

  /** An entry is on its way. From any thread. */
  void sent() {
    unanswered.incrementAndGet();
  }

  /** An entry was answered. From any thread. */
  void answered() {
    unanswered.decrementAndGet();
  }

  void collect(PendingAlert alert) {
    waiting.add(alert);
    waitingBytes += alert.encoded().bytes().length;
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  /** Whether an entry is to be sent now. */
  boolean due(long nowNanos) {
    return !waiting.isEmpty()
        && (open()
            || waiting.size() >= alertsMax
            || waitingBytes >= bytesMax
            || waitsNanos(nowNanos) <= 0);
  }

  /** How long the first of the alerts may still wait. */
  long waitsNanos(long nowNanos) {
    return COLLECT_MAX.toNanos() - (nowNanos - waiting.element().queuedNanos());
  }

  /**
   * Takes the first alerts, as many as one entry holds, all stamped under one version of the rules;
   * at least one.
   */
  List<PendingAlert> cut() {
    int count = Math.min(waiting.size(), alertsMax);
    List<PendingAlert> alerts = new ArrayList<>(count);
    long entryBytes = 0;
    int rulesVersion = waiting.element().encoded().rulesVersion();
    while (alerts.size() < count) {
      AlertEncoder.Encoded first = waiting.element().encoded();
      int next = first.bytes().length;
      if (first.rulesVersion() != rulesVersion
          || (!alerts.isEmpty() && entryBytes + next > bytesMax)) {
        break;
      }
      entryBytes += next;
      alerts.add(waiting.remove());
    }
    waitingBytes -= entryBytes;
    return alerts;
  }

  /** Takes the first alert without an entry: it is not to be sent. */
  PendingAlert drop() {
    PendingAlert dropped = waiting.remove();
    waitingBytes -= dropped.encoded().bytes().length;
    return dropped;
  }
}
