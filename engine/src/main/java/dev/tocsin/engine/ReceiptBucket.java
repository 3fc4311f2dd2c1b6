package dev.tocsin.engine;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Receipts that came within a few minutes: an open-addressing table of 128-bit hashes, linear
 * probing, at most two thirds full, beside the same in the order of their coming. The slot of all
 * zeros is free; the one hash that is all zeros is kept as another.
 */
final class ReceiptBucket {
  private static final int SLOTS_MIN = 64;

  private final long number;
  private final long startMs;
  private long lastMs;
  private long[] slots = new long[2 * SLOTS_MIN];
  private long[] unflushed = new long[2 * SLOTS_MIN];
  private int unflushedSize;
  private int size;
  private int chunks;

  ReceiptBucket(long number, long startMs) {
    this.number = number;
    this.startMs = startMs;
    this.lastMs = startMs;
  }

  long number() {
    return number;
  }

  long startMs() {
    return startMs;
  }

  /** When the newest came. */
  long lastMs() {
    return lastMs;
  }

  int size() {
    return size;
  }

  /** Chunks handed over so far. */
  int chunks() {
    return chunks;
  }

  boolean contains(long high, long low) {
    long first = nonZero(high, low);
    for (int slot = slot(first, low); ; slot = next(slot)) {
      if (slots[slot] == first && slots[slot + 1] == low) {
        return true;
      }
      if (slots[slot] == 0 && slots[slot + 1] == 0) {
        return false;
      }
    }
  }

  void add(long high, long low, long atMs) {
    if (3L * (size + 1) > slots.length) {
      grow();
    }
    long first = nonZero(high, low);
    insert(first, low);
    if (unflushedSize == unflushed.length) {
      unflushed = Arrays.copyOf(unflushed, unflushed.length * 2);
    }
    unflushed[unflushedSize++] = first;
    unflushed[unflushedSize++] = low;
    size++;
    lastMs = Math.max(lastMs, atMs);
  }

  /** How many receipts are handed over: the rest are not. */
  int unflushed() {
    return size - unflushedSize / 2;
  }

  /** Writes the receipts that are not handed over yet, and gives the number of their chunk. */
  int flushed(ByteBuffer to) {
    for (int i = 0; i < unflushedSize; i++) {
      to.putLong(unflushed[i]);
    }
    forgetUnflushed();
    return chunks++;
  }

  /** What was added since came from this chunk. */
  void loaded(int chunk) {
    forgetUnflushed();
    chunks = chunk + 1;
  }

  /** Bytes of its tables. */
  long heldBytes() {
    return (long) Long.BYTES * (slots.length + unflushed.length);
  }

  /** Lets go of the room as well: a bucket lives for long after its last receipt. */
  private void forgetUnflushed() {
    unflushedSize = 0;
    if (unflushed.length > 2 * SLOTS_MIN) {
      unflushed = new long[2 * SLOTS_MIN];
    }
  }

  private void grow() {
    long[] before = slots;
    slots = new long[before.length * 2];
    for (int slot = 0; slot < before.length; slot += 2) {
      if (before[slot] != 0 || before[slot + 1] != 0) {
        insert(before[slot], before[slot + 1]);
      }
    }
  }

  private void insert(long first, long low) {
    int slot = slot(first, low);
    while (slots[slot] != 0 || slots[slot + 1] != 0) {
      slot = next(slot);
    }
    slots[slot] = first;
    slots[slot + 1] = low;
  }

  /** Hashes are even already: some of their bits say where. */
  private int slot(long first, long low) {
    return (int) (first ^ low >>> 32) & (slots.length / 2 - 1) << 1;
  }

  private int next(int slot) {
    return slot + 2 & slots.length - 1;
  }

  private static long nonZero(long high, long low) {
    return high == 0 && low == 0 ? 1 : high;
  }
}
