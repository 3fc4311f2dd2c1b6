package dev.tocsin.engine;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Where receipts stand on the log and what came of them, in the order of their coming, which is the
 * log's: about two bytes a receipt.
 *
 * <pre>
 * receipt   varint(offsets since the receipt before &lt;&lt; 5 | effect) varint(index, less the one before within one entry)
 * </pre>
 *
 * A varint has seven bits a byte, least significant first. The first receipt, and every 64th after
 * it, counts from 0, so that any one is found by reading 64 at most. Nothing that is written is
 * ever changed: {@link #view} may be read by any thread while one appends.
 */
final class ReceiptPositions {
  private static final int EVERY = 64;
  private static final int RECEIPT_BYTES_MAX = 20;

  /**
   * The first {@code count}.
   *
   * @param marks where each 64th begins
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record View(ByteBuffer bytes, int[] marks, int count) {
    /** A reader that stands before the receipt of that number, which is one of them. */
    Reader from(int number) {
      Reader reader = new Reader(bytes, marks[number / EVERY]);
      for (int i = number - number % EVERY; i < number; i++) {
        var unused = reader.next();
      }
      return reader;
    }

    /** Appends those from that number on, of which there is one at least. */
    void copy(int number, ReceiptPositions to) {
      Reader reader = from(number);
      for (int i = number; i < count; i++) {
        AlertEffect effect = reader.next();
        to.append(reader.offset(), reader.index(), effect);
      }
    }
  }

  /** Reads one receipt after the other. */
  static final class Reader {
    private final ByteBuffer bytes;
    private int at;
    private int number;
    private long offset;
    private int index;

    /** One that stands where a receipt begins that counts from 0. */
    Reader(ByteBuffer bytes, int at) {
      this.bytes = bytes;
      this.at = at;
    }

    boolean isAtEnd() {
      return at >= bytes.limit();
    }

    /** Goes on to the next one, and gives its effect. */
    AlertEffect next() {
      if (number++ % EVERY == 0) {
        offset = 0;
        index = 0;
      }
      long first = varint();
      long offsets = first >> AlertEffect.BITS;
      index = (int) varint() + (offsets == 0 ? index : 0);
      offset += offsets;
      return AlertEffect.of((int) first & (1 << AlertEffect.BITS) - 1);
    }

    long offset() {
      return offset;
    }

    int index() {
      return index;
    }

    private long varint() {
      long value = 0;
      for (int shift = 0; ; shift += 7) {
        byte next = bytes.get(at++);
        value |= (long) (next & 0x7F) << shift;
        if (next >= 0) {
          return value;
        }
      }
    }
  }

  private byte[] bytes = new byte[EVERY];
  private ByteBuffer settled;
  private int length;
  private int[] marks = new int[1];
  private int count;
  private long lastOffset;
  private int lastIndex;

  /** Appends one; of an effect that is UNKNOWN the position is not kept. */
  void append(long offset, int index, AlertEffect effect) {
    if (effect == AlertEffect.UNKNOWN) {
      write(lastOffset, lastIndex, effect);
    } else {
      write(offset, index, effect);
    }
  }

  private void write(long offset, int index, AlertEffect effect) {
    if (bytes.length - length < RECEIPT_BYTES_MAX) {
      bytes = Arrays.copyOf(bytes, Math.max(length + bytes.length / 2, length + RECEIPT_BYTES_MAX));
    }
    if (count % EVERY == 0) {
      if (count / EVERY == marks.length) {
        marks = Arrays.copyOf(marks, marks.length * 2);
      }
      marks[count / EVERY] = length;
      lastOffset = 0;
      lastIndex = 0;
    }
    long offsets = offset - lastOffset;
    varint(offsets << AlertEffect.BITS | effect.number());
    varint(offsets == 0 ? index - lastIndex : index);
    lastOffset = offset;
    lastIndex = index;
    count++;
  }

  View view() {
    return new View(settled != null ? settled : ByteBuffer.wrap(bytes), marks, count);
  }

  /** All of them, to be read alone. */
  byte[] toBytes() {
    return Arrays.copyOf(bytes, length);
  }

  /** No more come: they stay in that memory. */
  void settle(ReceiptMemory memory) {
    settled = memory.allocate(length);
    settled.put(0, bytes, 0, length);
    bytes = null;
    marks = Arrays.copyOf(marks, (count + EVERY - 1) / EVERY);
  }

  long heldBytes() {
    return (settled != null ? length : bytes.length) + (long) Integer.BYTES * marks.length;
  }

  private void varint(long value) {
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      bytes[length++] = (byte) ((rest & 0x7F) | 0x80);
      rest >>>= 7;
    }
    bytes[length++] = (byte) rest;
  }
}
