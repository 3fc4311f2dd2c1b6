package dev.tocsin.engine;

import com.dynatrace.hash4j.hashing.HashValue128;
import com.dynatrace.hash4j.hashing.Hasher128;
import com.dynatrace.hash4j.hashing.Hashing;
import dev.tocsin.schemas.Ascii;
import dev.tocsin.schemas.Key128;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The bytes that keys are hashed from: a letter that says which key it is, then each part as its
 * length in bytes (four, most significant first) and its UTF-8. Lengths keep parts apart: ("ab",
 * "c") and ("a", "bc") differ. A part that is absent has the length -1 and differs from an empty
 * one.
 *
 * <p>Hashes are XXH3, 128 and 64 bits, seed 0. Not thread-safe; reused by one thread.
 *
 * @see <a href="https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md">XXH3</a>
 */
final class KeyEncoder {
  private static final int ABSENT = -1;
  private static final Hasher128 HASHER = Hashing.xxh3_128();

  private byte[] bytes = new byte[512];
  private int length;

  /** Begins a key of the given kind. */
  KeyEncoder begin(char kind) {
    length = 0;
    room(1);
    bytes[length++] = (byte) kind;
    return this;
  }

  /** Makes the key one of another kind, with the same parts. */
  KeyEncoder as(char kind) {
    bytes[0] = (byte) kind;
    return this;
  }

  KeyEncoder put(String part) {
    if (part == null) {
      return putInt(ABSENT);
    }
    int chars = part.length();
    room(Integer.BYTES + chars);
    if (Ascii.copy(part, bytes, length + Integer.BYTES)) {
      putInt(chars);
      length += chars;
      return this;
    }
    byte[] utf8 = part.getBytes(StandardCharsets.UTF_8);
    putInt(utf8.length);
    room(utf8.length);
    System.arraycopy(utf8, 0, bytes, length, utf8.length);
    length += utf8.length;
    return this;
  }

  /** A part as {@link #part} gave it. */
  KeyEncoder putPart(byte[] part) {
    room(part.length);
    System.arraycopy(part, 0, bytes, length, part.length);
    length += part.length;
    return this;
  }

  /** One part's bytes, for those that come again and again. */
  static byte[] part(String text) {
    KeyEncoder alone = new KeyEncoder().put(text);
    return Arrays.copyOf(alone.bytes, alone.length);
  }

  KeyEncoder putInt(int value) {
    room(Integer.BYTES);
    bytes[length++] = (byte) (value >>> 24);
    bytes[length++] = (byte) (value >>> 16);
    bytes[length++] = (byte) (value >>> 8);
    bytes[length++] = (byte) value;
    return this;
  }

  KeyEncoder putLong(long value) {
    return putInt((int) (value >>> 32)).putInt((int) value);
  }

  Key128 hash128() {
    HashValue128 hash = HASHER.hashBytesTo128Bits(bytes, 0, length);
    return new Key128(
        ByteBuffer.allocate(16)
            .putLong(hash.getMostSignificantBits())
            .putLong(hash.getLeastSignificantBits())
            .array());
  }

  long hash64() {
    return Hashing.xxh3_64().hashBytesToLong(bytes, 0, length);
  }

  private void room(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }
}
