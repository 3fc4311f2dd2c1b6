package dev.tocsin.processor;

import dev.tocsin.engine.Timer;
import dev.tocsin.schemas.Key128;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * A partition's timers of tallies. Under load there is one a second for each incident that is
 * active, so they are not stored one by one: each commit stores those that came since the last one
 * and are not over yet as one packed record, a chunk, and drops the chunks of which all are over.
 *
 * <p>A chunk is never changed, though some of its timers are over before others. Which they are
 * need not be written down: a timer of a tally is always armed for later than the fold time of
 * then, and is over once fold time has come to it. Where so much is due that the fold leaves some
 * of it for later, the first that is left is written down: those after it are left as well.
 *
 * <p>All are in memory, so {@link #add} takes no more than {@link #HELD_MAX}. The fold's thread
 * only.
 */
final class TallyTimers {
  /** Of 24 bytes in a chunk, and some 150 in memory. */
  static final int HELD_MAX = 100_000;

  private static final int TIMER_BYTES = 24;
  private static final Key128 LOWEST = new Key128(new byte[TIMER_BYTES - Long.BYTES]);

  /** Timers that are stored together. */
  private static final class Chunk {
    final long number;
    int held;

    Chunk(long number) {
      this.number = number;
    }
  }

  private final Chunk unstored = new Chunk(-1);
  private final TreeMap<Timer, Chunk> held = new TreeMap<>();
  private final List<Timer> added = new ArrayList<>();
  private final List<Chunk> over = new ArrayList<>();
  private long next;
  private boolean leftStored;

  /** Those that {@code store} has and that are not over at this fold time. */
  TallyTimers(KeyValueStore<Bytes, byte[]> store, long foldTimeMs) {
    byte[] left = store.get(StateKeys.TALLY_TIMERS_LEFT);
    leftStored = left != null;
    Timer first =
        leftStored
            ? read(ByteBuffer.wrap(left))
            : new Timer(foldTimeMs + 1, Timer.Kind.TALLY, LOWEST);
    try (KeyValueIterator<Bytes, byte[]> chunks =
        store.range(
            StateKeys.first(StateKeys.TALLY_TIMERS), StateKeys.end(StateKeys.TALLY_TIMERS))) {
      while (chunks.hasNext()) {
        KeyValue<Bytes, byte[]> stored = chunks.next();
        if (stored.key.get()[0] == StateKeys.TALLY_TIMERS) {
          load(new Chunk(StateKeys.tallyTimers(stored.key)), stored.value, first);
        }
      }
    }
  }

  Optional<Timer> first() {
    return held.isEmpty() ? Optional.empty() : Optional.of(held.firstKey());
  }

  /** False if there are too many: then it is to be kept elsewhere. */
  boolean add(Timer timer) {
    if (held.size() >= HELD_MAX) {
      return false;
    }
    if (held.putIfAbsent(timer, unstored) == null) {
      added.add(timer);
    }
    return true;
  }

  /** Whether it was here. */
  boolean remove(Timer timer) {
    Chunk chunk = held.remove(timer);
    if (chunk != null && chunk != unstored && --chunk.held == 0) {
      over.add(chunk);
    }
    return chunk != null;
  }

  /** Adds what changed to what is to be stored with this fold time. */
  void flushInto(List<KeyValue<Bytes, byte[]>> batch, long foldTimeMs) {
    Chunk chunk = new Chunk(next);
    ByteBuffer packed = ByteBuffer.allocate(TIMER_BYTES * added.size());
    for (Timer timer : added) {
      if (held.replace(timer, unstored, chunk)) {
        write(timer, packed);
        chunk.held++;
      }
    }
    added.clear();
    if (chunk.held > 0) {
      byte[] bytes = new byte[packed.position()];
      packed.flip().get(bytes);
      batch.add(KeyValue.pair(StateKeys.tallyTimers(chunk.number), bytes));
      next++;
    }
    for (Chunk each : over) {
      batch.add(KeyValue.pair(StateKeys.tallyTimers(each.number), null));
    }
    over.clear();
    flushLeftInto(batch, foldTimeMs);
  }

  private void flushLeftInto(List<KeyValue<Bytes, byte[]>> batch, long foldTimeMs) {
    boolean left = !held.isEmpty() && held.firstKey().dueMs() <= foldTimeMs;
    if (left) {
      ByteBuffer first = ByteBuffer.allocate(TIMER_BYTES);
      write(held.firstKey(), first);
      batch.add(KeyValue.pair(StateKeys.TALLY_TIMERS_LEFT, first.array()));
    } else if (leftStored) {
      batch.add(KeyValue.pair(StateKeys.TALLY_TIMERS_LEFT, null));
    }
    leftStored = left;
  }

  private void load(Chunk chunk, byte[] packed, Timer first) {
    ByteBuffer bytes = ByteBuffer.wrap(packed);
    while (bytes.hasRemaining()) {
      Timer timer = read(bytes);
      if (timer.compareTo(first) >= 0 && held.putIfAbsent(timer, chunk) == null) {
        chunk.held++;
      }
    }
    if (chunk.held == 0) {
      over.add(chunk);
    }
    next = Math.max(next, chunk.number + 1);
  }

  private static void write(Timer timer, ByteBuffer to) {
    to.putLong(timer.dueMs()).put(timer.about().bytes());
  }

  private static Timer read(ByteBuffer from) {
    long dueMs = from.getLong();
    byte[] about = new byte[TIMER_BYTES - Long.BYTES];
    from.get(about);
    return new Timer(dueMs, Timer.Kind.TALLY, new Key128(about));
  }
}
