package dev.tocsin.query;

import java.util.ArrayList;
import java.util.List;

/**
 * The newest events of one partition, all of them from {@link #begin} to {@link #end}. One thread
 * adds and removes; any may read.
 */
final class EventRing {
  private static final int CAPACITY_MIN = 16;

  private EventItem[] items = new EventItem[CAPACITY_MIN];
  private int head;
  private int size;
  private long begin;
  private long end;
  private EventItem newest;

  /** None yet; the first to come is at {@code offset} or behind. */
  EventRing(long offset) {
    begin = offset;
    end = offset;
  }

  synchronized void add(EventItem item) {
    if (size == items.length) {
      grow();
    }
    items[(head + size) & (items.length - 1)] = item;
    size++;
    newest = item;
    end = item.offset() + 1;
  }

  /** All before {@code offset} has been added; not every offset is an event. */
  synchronized void advance(long offset) {
    end = Math.max(end, offset);
  }

  /** Removes the oldest. */
  synchronized EventItem remove() {
    EventItem oldest = items[head];
    items[head] = null;
    head = (head + 1) & (items.length - 1);
    size--;
    begin = oldest.offset() + 1;
    return oldest;
  }

  /** Forgets all and begins anew with what was read. */
  synchronized void restart(EventSeed seed) {
    items = new EventItem[CAPACITY_MIN];
    head = 0;
    size = 0;
    begin = seed.begin();
    seed.items().forEach(this::add);
    end = seed.end();
    newest = seed.newest();
  }

  synchronized long begin() {
    return begin;
  }

  /** The first offset that was not read yet: all that is before it is committed. */
  synchronized long end() {
    return end;
  }

  synchronized int size() {
    return size;
  }

  /**
   * The last event before {@link #end}, also if it is not kept any more; null if the topic held
   * none.
   */
  synchronized EventItem newest() {
    return newest;
  }

  /**
   * Events from {@code offset} on, oldest first: at least one if there is one, else as many as
   * weigh at most {@code weightMax}; null if the first of them is not kept any more.
   */
  synchronized OlderEvents.Answer.Found read(long offset, int weightMax) {
    if (offset < begin) {
      return null;
    }
    List<EventItem> found = new ArrayList<>();
    int weight = 0;
    for (int i = first(offset); i < size; i++) {
      EventItem item = at(i);
      weight += item.weight();
      if (!found.isEmpty() && weight > weightMax) {
        return new OlderEvents.Answer.Found(found, item.offset());
      }
      found.add(item);
    }
    return new OlderEvents.Answer.Found(found, Math.max(offset, end));
  }

  /** The index of the first item that is not before {@code offset}. */
  private int first(long offset) {
    int low = 0;
    int high = size;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (at(middle).offset() < offset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private EventItem at(int index) {
    return items[(head + index) & (items.length - 1)];
  }

  private void grow() {
    EventItem[] larger = new EventItem[items.length * 2];
    for (int i = 0; i < size; i++) {
      larger[i] = at(i);
    }
    items = larger;
    head = 0;
  }
}
