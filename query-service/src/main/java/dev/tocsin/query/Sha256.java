package dev.tocsin.query;

import dev.tocsin.schemas.Key128;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

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

  Key128 key() {
    return new Key128(Arrays.copyOf(digest.digest(), BYTES));
  }
}
