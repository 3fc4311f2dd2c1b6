package dev.tocsin.engine;

import java.nio.ByteBuffer;

/**
 * Some thousands of receipts in the order of their coming, 16 bytes of key and about two of
 * position each. What is appended is never changed, so any thread may read a {@link #view}.
 */
final class ReceiptBlock {
  /** As many as fit. */
  static final int SIZE = 1 << 13;

  private static final int KEY_BYTES = 16;
  private static final int LOW_AT = 8;
  private static final int ALERT_AT = 12;

  /** The first {@code size} receipts. */
  record View(ByteBuffer keys, ReceiptPositions.View positions, int size) {
    /** Which alert the receipt of that number is of. */
    int alert(int number) {
      return keys.getInt(number * KEY_BYTES + ALERT_AT);
    }

    /** The receipt of that number. */
    Receipt receipt(int number) {
      ReceiptPositions.Reader position = positions.from(number);
      AlertEffect effect = position.next();
      return Receipt.of(
          keys.getLong(number * KEY_BYTES),
          keys.getInt(number * KEY_BYTES + LOW_AT),
          alert(number),
          position.offset(),
          position.index(),
          effect);
    }
  }

  private final ReceiptMemory memory;
  private final ReceiptPositions positions = new ReceiptPositions();
  private ByteBuffer keys;
  private int size;

  /** An empty one. */
  ReceiptBlock(ReceiptMemory memory, int room) {
    this.memory = memory;
    this.keys = memory.allocate(room * KEY_BYTES);
  }

  boolean isFull() {
    return size == SIZE;
  }

  /** Adds one where it is not full. */
  void add(long high, int low, int alert, long offset, int index, AlertEffect effect) {
    int at = size * KEY_BYTES;
    if (at == keys.capacity()) {
      room(size * 2);
    }
    keys.putLong(at, high);
    keys.putInt(at + LOW_AT, low);
    keys.putInt(at + ALERT_AT, alert);
    positions.append(offset, index, effect);
    size++;
  }

  long high(int number) {
    return keys.getLong(number * KEY_BYTES);
  }

  int low(int number) {
    return keys.getInt(number * KEY_BYTES + LOW_AT);
  }

  /** Appends receipts from that number on to chunks that are written. */
  void copy(int from, ByteBuffer toKeys, ReceiptPositions toPositions) {
    toKeys.put(keys.slice(from * KEY_BYTES, (size - from) * KEY_BYTES));
    positions.view().copy(from, toPositions);
  }

  /** No more come: lets go of the room for them. */
  void seal() {
    if (size * KEY_BYTES < keys.capacity()) {
      room(size);
    }
    positions.settle(memory);
  }

  View view() {
    return new View(keys, positions.view(), size);
  }

  long heldBytes() {
    return keys.capacity() + positions.heldBytes();
  }

  private void room(int receipts) {
    ByteBuffer moved = memory.allocate(receipts * KEY_BYTES);
    moved.put(0, keys, 0, size * KEY_BYTES);
    keys = moved;
  }
}
