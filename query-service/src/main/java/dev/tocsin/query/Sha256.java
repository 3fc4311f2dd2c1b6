package dev.tocsin.query;

import com.google.protobuf.ByteString;
import dev.tocsin.schemas.Key128;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * SHA-256 over parts, cut to its first 128 bits. Each part but numbers has its length before it, so
 * that ("ab", "c") and ("a", "bc") differ. Not thread-safe; used once.
 */
final class Sha256 {
  static final int BYTES = 16;

  private final MessageDigest digest;

  Sha256() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  Sha256 text(String part) {
    return bytes(part.getBytes(StandardCharsets.UTF_8));
  }

  Sha256 bytes(byte[] part) {
    number(part.length);
    digest.update(part);
    return this;
  }

  Sha256 number(int part) {
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, part));
    return this;
  }

  /** A set of numbers below 32, whatever their order. */
  Sha256 set(IntStream numbers) {
    return number(numbers.map(number -> 1 << number).reduce(0, (all, bit) -> all | bit));
  }

  ByteString byteString() {
    return ByteString.copyFrom(digest.digest(), 0, BYTES);
  }

  Key128 key() {
    return new Key128(Arrays.copyOf(digest.digest(), BYTES));
  }
}
