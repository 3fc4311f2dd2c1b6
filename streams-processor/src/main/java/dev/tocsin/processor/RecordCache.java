package dev.tocsin.processor;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;

/**
 * Which of a partition's stored records stay in memory, those of all its tables together, within a
 * bound in bytes. Where there is no room for all, what comes waits in a short queue; what a later
 * entry asks for there, or what comes back soon after it left from there, stays. Of those, one goes
 * if nobody asked for it since its turn came last. (This is S3-FIFO: J. Yang et al., "FIFO queues
 * are all you need for cache eviction", SOSP 2023.) So a load that asks for everything once drives
 * out nothing, and its records are gone while they are young, which spares the garbage collector;
 * and asking costs no more than a mark. What is changed and not stored does not leave, and comes on
 * top of the bound; it has its own, {@link ProcessorConfig#dirtyMax}.
 *
 * <p>The fold's thread only.
 */
final class RecordCache {
  /** What a record takes beside its value: its key, and its places in a map and here. */
  private static final int OVERHEAD_BYTES = 200;

  /** Objects are larger than what they are encoded to. */
  private static final int BYTES_PER_ENCODED_BYTE = 3;

  private static final int STEPS_FOR_ONE = 16;

  /** Of the bound, what comes may have a 32nd where it is not enough for all. */
  private static final int ALL_PER_COMING = 32;

  /** So many that left while they were new are known when they come back, at least. */
  private static final int LEFT_MIN = 1 << 12;

  private final LongSupplier bytesMax;
  private final Deque<CachedRecord<?>> coming = new ArrayDeque<>();
  private final Deque<CachedRecord<?>> staying = new ArrayDeque<>();

  /**
   * Hashes of what left while it was new, each in the place that it says: a later one takes an
   * earlier one's. As many as stay, or more; a power of two.
   */
  private int[] left = new int[LEFT_MIN];

  private long bytes;
  private long comingBytes;

  /** Records that are removed and still in their queue. */
  private int gone;

  private int entry;

  /** A cache of so many bytes; the bound may move. */
  RecordCache(LongSupplier bytesMax) {
    this.bytesMax = bytesMax;
  }

  /** A record is as it is stored, by so many bytes. */
  void stored(CachedRecord<?> record, int encodedBytes) {
    if (record.bytes == 0) {
      record.stays = left[place(record)] == record.hash();
      add(record);
    }
    count(record, OVERHEAD_BYTES + (long) BYTES_PER_ENCODED_BYTE * encodedBytes);
  }

  /** A record is removed from the store as well. */
  void removed(CachedRecord<?> record) {
    gone += record.bytes == 0 ? 0 : 1;
    letGo(record);
  }

  /** What is asked for from here on is asked for by another entry. */
  void nextEntry() {
    entry++;
  }

  /** Which entry asks, as a number that comes again after 2^32 of them. */
  int entry() {
    return entry;
  }

  /** Lets go of as much as is too much, in two rounds at most. */
  void trim() {
    trim(Integer.MAX_VALUE);
    if (gone > size() / 2) {
      coming.removeIf(CachedRecord::isGone);
      staying.removeIf(CachedRecord::isGone);
      gone = 0;
    }
  }

  /**
   * The same for one record that has come: a few steps only, since what is changed may fill it and
   * cannot leave before it is stored.
   */
  void trimForOne() {
    trim(STEPS_FOR_ONE);
  }

  private void trim(int stepsMax) {
    long max = bytesMax.getAsLong();
    int steps = Math.min(stepsMax, 2 * size());
    for (; steps > 0 && bytes > max; steps--) {
      boolean tooNew = comingBytes > max / ALL_PER_COMING || staying.isEmpty();
      decide((tooNew ? coming : staying).removeFirst());
    }
  }

  /** What becomes of a record whose turn it is. */
  private void decide(CachedRecord<?> record) {
    if (record.isGone()) {
      gone--;
    } else if (record.changed) {
      add(record);
    } else if (record.asked) {
      comingBytes -= record.stays ? 0 : record.bytes;
      record.stays = true;
      record.asked = false;
      add(record);
    } else {
      if (!record.stays) {
        left[place(record)] = record.hash();
      }
      letGo(record);
    }
  }

  private void add(CachedRecord<?> record) {
    (record.stays ? staying : coming).addLast(record);
    if (staying.size() > left.length) {
      int[] fewer = left;
      left = new int[2 * fewer.length];
      for (int hash : fewer) {
        if (hash != 0) { // 0 is an empty place
          left[place(hash)] = hash;
        }
      }
    }
  }

  private void letGo(CachedRecord<?> record) {
    count(record, 0);
    record.leave();
  }

  private void count(CachedRecord<?> record, long now) {
    bytes += now - record.bytes;
    comingBytes += record.stays ? 0 : now - record.bytes;
    record.bytes = now;
  }

  private int place(CachedRecord<?> record) {
    return place(record.hash());
  }

  private int place(int hash) {
    return hash & (left.length - 1);
  }

  /** What it holds, by its own estimate. */
  long bytes() {
    return bytes;
  }

  /** Records in its queues, with those that are removed. */
  int size() {
    return coming.size() + staying.size();
  }
}
