package dev.tocsin.processor;

import dev.tocsin.engine.Timer;
import java.util.Optional;
import java.util.TreeSet;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * A partition's timers: all of them in the store, the earliest in memory. Memory holds every timer
 * up to a horizon; beyond it only the store knows. When memory runs empty it is filled from the
 * horizon on, so that the removed ones before it, which RocksDB has to step over, are not met
 * again.
 *
 * <p>The fold's thread only.
 */
final class TimerQueue {
  private static final int LOADED = 1_000;
  private static final int HELD_MAX = 4 * LOADED;

  private final KeyValueStore<Bytes, byte[]> store;
  private final TreeSet<Timer> held = new TreeSet<>();

  /** The last timer up to which all are held; null if all there are are held. */
  private Timer horizon;

  TimerQueue(KeyValueStore<Bytes, byte[]> store) {
    this.store = store;
    load(StateKeys.first(StateKeys.TIMER));
  }

  Optional<Timer> first() {
    if (held.isEmpty() && horizon != null) {
      load(StateKeys.timer(horizon));
    }
    return held.isEmpty() ? Optional.empty() : Optional.of(held.first());
  }

  void add(Timer timer) {
    store.put(StateKeys.timer(timer), StateKeys.PRESENT);
    if (horizon == null || timer.compareTo(horizon) <= 0) {
      held.add(timer);
      while (held.size() > HELD_MAX) {
        held.pollLast();
        horizon = held.last();
      }
    }
  }

  void remove(Timer timer) {
    store.delete(StateKeys.timer(timer));
    held.remove(timer);
  }

  private void load(Bytes from) {
    horizon = null;
    try (KeyValueIterator<Bytes, byte[]> timers =
        store.range(from, StateKeys.end(StateKeys.TIMER))) {
      while (timers.hasNext()) {
        KeyValue<Bytes, byte[]> next = timers.next();
        if (next.key.get()[0] != StateKeys.TIMER) {
          return;
        }
        Timer timer = StateKeys.timer(next.key);
        if (held.size() == LOADED) {
          horizon = held.last();
          return;
        }
        held.add(timer);
      }
    }
  }
}
