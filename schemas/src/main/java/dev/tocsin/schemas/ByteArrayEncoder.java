package dev.tocsin.schemas;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.avro.io.BinaryData;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.util.Utf8;

/**
 * Avro's binary encoding into an array that grows. Avro's own encoders write to a stream, whose
 * every write takes a lock, and an alert is some forty writes.
 *
 * <p>Not thread-safe; reused by one thread.
 *
 * @see <a href="https://avro.apache.org/docs/1.12.0/specification/#binary-encoding">the
 *     encoding</a>
 */
final class ByteArrayEncoder extends BinaryEncoder {
  private static final int INITIAL_BYTES = 1 << 10;

  /** Of the array, between two records: one that was larger is given up. */
  private static final int KEPT_BYTES_MAX = 1 << 20;

  private static final int VARINT_BYTES_MAX = 10;
  private static final int FLOAT_BYTES = 4;
  private static final int DOUBLE_BYTES = 8;

  private byte[] bytes = new byte[INITIAL_BYTES];
  private int length;

  /** Forgets what was written. */
  void reset() {
    length = 0;
    if (bytes.length > KEPT_BYTES_MAX) {
      bytes = new byte[INITIAL_BYTES];
    }
  }

  /** All that was written since {@link #reset}. */
  byte[] toByteArray() {
    return Arrays.copyOf(bytes, length);
  }

  @Override
  public void writeBoolean(boolean value) {
    room(1);
    bytes[length++] = (byte) (value ? 1 : 0);
  }

  @Override
  public void writeInt(int value) {
    room(VARINT_BYTES_MAX);
    length += BinaryData.encodeInt(value, bytes, length);
  }

  @Override
  public void writeLong(long value) {
    room(VARINT_BYTES_MAX);
    length += BinaryData.encodeLong(value, bytes, length);
  }

  @Override
  public void writeFloat(float value) {
    room(FLOAT_BYTES);
    length += BinaryData.encodeFloat(value, bytes, length);
  }

  @Override
  public void writeDouble(double value) {
    room(DOUBLE_BYTES);
    length += BinaryData.encodeDouble(value, bytes, length);
  }

  @Override
  public void writeString(String value) {
    int chars = value.length();
    room(VARINT_BYTES_MAX + chars);
    int start = length;
    length += BinaryData.encodeInt(chars, bytes, length);
    if (Ascii.copy(value, bytes, length)) {
      length += chars;
      return;
    }
    length = start;
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    writeInt(utf8.length);
    writeFixed(utf8, 0, utf8.length);
  }

  @Override
  public void writeString(CharSequence value) {
    writeString(value.toString());
  }

  @Override
  public void writeString(Utf8 value) {
    writeBytes(value.getBytes(), 0, value.getByteLength());
  }

  @Override
  public void writeBytes(byte[] from, int start, int count) {
    writeInt(count);
    writeFixed(from, start, count);
  }

  @Override
  public void writeBytes(ByteBuffer from) {
    writeInt(from.remaining());
    writeFixed(from);
  }

  @Override
  public void writeFixed(byte[] from, int start, int count) {
    room(count);
    System.arraycopy(from, start, bytes, length, count);
    length += count;
  }

  @Override
  public void writeFixed(ByteBuffer from) {
    int count = from.remaining();
    room(count);
    from.duplicate().get(bytes, length, count);
    length += count;
  }

  @Override
  protected void writeZero() {
    room(1);
    bytes[length++] = 0;
  }

  @Override
  public int bytesBuffered() {
    return 0; // what is written is where it belongs
  }

  @Override
  public void flush() {}

  private void room(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }
}
