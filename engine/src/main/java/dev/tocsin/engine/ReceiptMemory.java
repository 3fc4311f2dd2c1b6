package dev.tocsin.engine;

import java.nio.ByteBuffer;

/**
 * Where the bytes of receipts are: of millions, none of which is ever an object. An implementation
 * may be asked by any thread.
 */
@FunctionalInterface
public interface ReceiptMemory {
  /** The heap. */
  ReceiptMemory HEAP = ByteBuffer::allocate;

  /**
   * Memory of zeros, big-endian. It is the caller's until nobody holds it; it is not given back.
   *
   * @throws RuntimeException if there is none
   */
  ByteBuffer allocate(int bytes);
}
