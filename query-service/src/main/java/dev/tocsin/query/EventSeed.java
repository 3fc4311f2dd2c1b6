package dev.tocsin.query;

import java.util.List;

/**
 * What a partition's ring begins with: the newest events of the topic. Immutable.
 *
 * @param begin from here on it has all events
 * @param items oldest first; perhaps none
 * @param end the first offset that was not read
 * @param newest the last event before {@code end}, whether it is among the items or not; null if
 *     the topic holds none
 */
record EventSeed(int partition, long begin, List<EventItem> items, long end, EventItem newest) {
  /** Nothing: the first event to come is at {@code offset} or behind. */
  static EventSeed none(int partition, long offset) {
    return new EventSeed(partition, offset, List.of(), offset, null);
  }
}
