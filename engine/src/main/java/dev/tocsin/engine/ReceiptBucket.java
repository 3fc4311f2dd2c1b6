package dev.tocsin.engine;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Receipts that came within a few minutes, in the order of their coming, and beside them a table
 * that finds one: open addressing, linear probing, at most two thirds full. A slot is an int: a
 * receipt's number, from 1, and eight bits of its hash, so that few others are looked at on the
 * way.
 *
 * <p>What is appended is never changed, so any thread may go through a {@link #view}.
 */
final class ReceiptBucket {
  /** As many as a slot can number. */
  static final int SIZE_MAX = (1 << 24) - 1;

  private static final int SLOTS_MIN = 64;

  /** The first block begins small: most buckets have few. */
  private static final int FIRST_ROOM = 32;

  private static final int FREE = 0;

  /** The first {@code size} receipts. */
  record View(List<ReceiptBlock.View> blocks, int size) {
    /** Which alert the receipt of that number is of. */
    int alert(int number) {
      return blocks.get(number / ReceiptBlock.SIZE).alert(number % ReceiptBlock.SIZE);
    }

    /** The receipt of that number. */
    Receipt receipt(int number) {
      return blocks.get(number / ReceiptBlock.SIZE).receipt(number % ReceiptBlock.SIZE);
    }
  }

  private final ReceiptMemory memory;
  private final long number;
  private final long startMs;
  private final List<ReceiptBlock> blocks = new ArrayList<>();
  private ByteBuffer slots;
  private int slotMask;
  private long lastMs;
  private int size;
  private int flushed;
  private int chunks;

  ReceiptBucket(ReceiptMemory memory, long number, long startMs) {
    this.memory = memory;
    this.number = number;
    this.startMs = startMs;
    this.lastMs = startMs;
    table(SLOTS_MIN);
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

  /** How many receipts are handed over: the rest are not. */
  int flushed() {
    return flushed;
  }

  boolean contains(long high, int low) {
    int tag = tag(high);
    int slot = slot(high, low);
    for (int found = at(slot); found != FREE; found = at(slot)) {
      int receipt = (found & SIZE_MAX) - 1;
      if ((found & ~SIZE_MAX) == tag && high(receipt) == high && low(receipt) == low) {
        return true;
      }
      slot = slot + 1 & slotMask;
    }
    return false;
  }

  void add(long high, int low, int alert, long offset, int index, AlertEffect effect, long atMs) {
    if (3L * (size + 1) > 2L * (slotMask + 1)) {
      grow();
    }
    int block = size / ReceiptBlock.SIZE;
    if (block == blocks.size()) {
      blocks.add(new ReceiptBlock(memory, block == 0 ? FIRST_ROOM : ReceiptBlock.SIZE));
    }
    ReceiptBlock last = blocks.get(block);
    last.add(high, low, alert, offset, index, effect);
    if (last.isFull()) {
      last.seal();
    }
    insert(size);
    size++;
    lastMs = Math.max(lastMs, atMs);
  }

  /** Writes the receipts that are not handed over yet: their keys, and where they stand. */
  void writeUnflushed(ByteBuffer keys, ReceiptPositions positions) {
    for (int from = flushed; from < size; from += ReceiptBlock.SIZE - from % ReceiptBlock.SIZE) {
      blocks.get(from / ReceiptBlock.SIZE).copy(from % ReceiptBlock.SIZE, keys, positions);
    }
  }

  /** All are handed over: gives the number of the chunk. */
  int nextChunk() {
    flushed = size;
    return chunks++;
  }

  /** What was added since came from this chunk. */
  void loaded(int chunk) {
    flushed = size;
    chunks = chunk + 1;
  }

  /** No more come: lets go of the room for them, since a bucket lives for long after its last. */
  void seal() {
    if (size % ReceiptBlock.SIZE > 0) {
      blocks.get(size / ReceiptBlock.SIZE).seal();
    }
  }

  View view() {
    return new View(blocks.stream().map(ReceiptBlock::view).toList(), size);
  }

  /** Bytes of its tables. */
  long heldBytes() {
    return slots.capacity() + blocks.stream().mapToLong(ReceiptBlock::heldBytes).sum();
  }

  private long high(int receipt) {
    return blocks.get(receipt / ReceiptBlock.SIZE).high(receipt % ReceiptBlock.SIZE);
  }

  private int low(int receipt) {
    return blocks.get(receipt / ReceiptBlock.SIZE).low(receipt % ReceiptBlock.SIZE);
  }

  private void table(int slotCount) {
    slots = memory.allocate(slotCount * Integer.BYTES);
    slotMask = slotCount - 1;
  }

  private void grow() {
    table((slotMask + 1) * 2);
    for (int receipt = 0; receipt < size; receipt++) {
      insert(receipt);
    }
  }

  private void insert(int receipt) {
    long high = high(receipt);
    int slot = slot(high, low(receipt));
    while (at(slot) != FREE) {
      slot = slot + 1 & slotMask;
    }
    slots.putInt(slot * Integer.BYTES, tag(high) | receipt + 1);
  }

  private int at(int slot) {
    return slots.getInt(slot * Integer.BYTES);
  }

  /** Hashes are even already: some of their bits say where. */
  private int slot(long high, int low) {
    return (int) (high ^ low) & slotMask;
  }

  /** Of bits that do not say where. */
  private static int tag(long high) {
    return (int) (high >>> 32) & ~SIZE_MAX;
  }
}
