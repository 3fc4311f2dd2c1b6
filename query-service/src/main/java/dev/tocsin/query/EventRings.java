package dev.tocsin.query;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The newest events of all partitions, under one bound: beyond it the oldest to have come in go
 * first, whichever partition they are of. One thread adds; any may read.
 */
final class EventRings {
  private final List<EventRing> rings = new ArrayList<>();

  /** The ring of each item, in the order in which they came in. The adding thread's own. */
  private final Deque<EventRing> order = new ArrayDeque<>();

  private final long weightMax;
  private volatile long weight;

  /**
   * None yet.
   *
   * @param ends by partition, where the first to come is
   * @param weightMax of all items together
   */
  EventRings(long[] ends, long weightMax) {
    for (long end : ends) {
      rings.add(new EventRing(end));
    }
    this.weightMax = weightMax;
  }

  int partitions() {
    return rings.size();
  }

  EventRing of(int partition) {
    return rings.get(partition);
  }

  /** What all items weigh. */
  long weight() {
    return weight;
  }

  void add(EventItem item) {
    EventRing ring = of(item.partition());
    ring.add(item);
    order.add(ring);
    long heavier = weight + item.weight();
    while (heavier > weightMax && !order.isEmpty()) {
      EventRing oldest = order.poll();
      heavier -= oldest.remove().weight();
    }
    weight = heavier;
  }

  /** Forgets a partition's items and goes on at {@code offset}. */
  void restart(int partition, long offset) {
    EventRing ring = of(partition);
    long lighter = weight;
    while (ring.size() > 0) {
      lighter -= ring.remove().weight();
    }
    weight = lighter;
    order.removeIf(each -> each == ring);
    ring.restart(offset);
  }
}
