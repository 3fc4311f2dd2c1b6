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
   * Empty rings.
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

  /** Rings that begin with what was read, a seed for each partition, in their order. */
  static EventRings of(List<EventSeed> seeds, long weightMax) {
    EventRings rings = new EventRings(new long[seeds.size()], weightMax);
    seeds.forEach(rings::restart);
    return rings;
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
    bound(weight + item.weight());
  }

  /** Forgets a partition's items and goes on with what was read: what lay between is lost. */
  void restart(EventSeed seed) {
    EventRing ring = of(seed.partition());
    long heavier = weight;
    while (ring.size() > 0) {
      heavier -= ring.remove().weight();
    }
    order.removeIf(each -> each == ring);
    ring.restart(seed);
    for (EventItem item : seed.items()) {
      order.add(ring);
      heavier += item.weight();
    }
    bound(heavier);
  }

  private void bound(long heavier) {
    long now = heavier;
    while (now > weightMax && !order.isEmpty()) {
      now -= order.poll().remove().weight();
    }
    weight = now;
  }
}
