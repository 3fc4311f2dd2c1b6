package dev.tocsin.processor;

import dev.tocsin.schemas.Key128;
import java.nio.ByteBuffer;
import java.util.Random;

/** Keys for tests. */
final class Keys {
  private Keys() {}

  static Key128 of(long high, long low) {
    return new Key128(ByteBuffer.allocate(16).putLong(high).putLong(low).array());
  }

  static Key128 random(Random random) {
    byte[] bytes = new byte[16];
    random.nextBytes(bytes);
    return new Key128(bytes);
  }
}
