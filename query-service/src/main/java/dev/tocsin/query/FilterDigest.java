package dev.tocsin.query;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.stream.IntStream;

/**
 * What tells one filter from another in a token: the first bytes of SHA-256 over its parts, each
 * text with its length before it. Not thread-safe.
 */
final class FilterDigest {
  static final int BYTES = 16;

  private final MessageDigest digest = sha256();

  FilterDigest add(String part) {
    byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
    add(bytes.length);
    digest.update(bytes);
    return this;
  }

  FilterDigest add(int number) {
    digest.update(ByteBuffer.allocate(4).putInt(0, number));
    return this;
  }

  /** A set of numbers below 32, whatever their order. */
  FilterDigest add(IntStream numbers) {
    return add(numbers.map(number -> 1 << number).reduce(0, (all, bit) -> all | bit));
  }

  ByteString bytes() {
    return ByteString.copyFrom(digest.digest(), 0, BYTES);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
