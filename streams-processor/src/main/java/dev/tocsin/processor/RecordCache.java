package dev.tocsin.processor;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;

/**
 * Which of a partition's stored records stay in memory, those of all its tables together: the ones
 * that were asked for lately, within a bound in bytes. It goes round and lets go of what nobody
 * asked for since it came by last (the clock algorithm, also called second chance), so that asking
 * for a record costs no more than a mark. What is changed and not stored stays; that is bounded by
 * {@link ProcessorConfig#dirtyMax}.
 *
 * <p>The fold's thread only.
 */
final class RecordCache {
  /** What a record takes beside its value: its key, and its places in a map and here. */
  private static final int OVERHEAD_BYTES = 200;

  /** Objects are larger than what they are encoded to. */
  private static final int BYTES_PER_ENCODED_BYTE = 3;

  private static final int STEPS_FOR_ONE = 16;

  private final LongSupplier bytesMax;
  private final Deque<CachedRecord<?>> round = new ArrayDeque<>();
  private long bytes;

  /** A cache of so many bytes; the bound may move. */
  RecordCache(LongSupplier bytesMax) {
    this.bytesMax = bytesMax;
  }

  /** A record is as it is stored, by so many bytes. */
  void stored(CachedRecord<?> record, int encodedBytes) {
    if (record.bytes == 0) {
      round.addLast(record);
    }
    bytes -= record.bytes;
    record.bytes = OVERHEAD_BYTES + (long) BYTES_PER_ENCODED_BYTE * encodedBytes;
    bytes += record.bytes;
  }

  /** A record is removed from the store as well. */
  void removed(CachedRecord<?> record) {
    bytes -= record.bytes;
    record.bytes = 0;
    record.value = null;
    record.leave();
  }

  /** Lets go of as much as is too much, in two rounds at most. */
  void trim() {
    trim(2 * round.size());
  }

  /**
   * The same for one record that has come: a few steps only, since what is changed may fill it and
   * cannot leave before it is stored.
   */
  void trimForOne() {
    trim(STEPS_FOR_ONE);
  }

  private void trim(int stepsMax) {
    int steps = Math.min(stepsMax, 2 * round.size());
    for (; steps > 0 && bytes > bytesMax.getAsLong(); steps--) {
      CachedRecord<?> record = round.removeFirst();
      if (record.changed || (record.asked && record.value != null)) {
        record.asked = false;
        round.addLast(record);
      } else if (record.value != null) {
        bytes -= record.bytes;
        record.bytes = 0;
        record.leave();
      }
    }
  }

  /** What it holds, by its own estimate. */
  long bytes() {
    return bytes;
  }
}
