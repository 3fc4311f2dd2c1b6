package dev.tocsin.processor;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * The memory for records that are as they are stored, shared evenly by the partitions that this
 * instance owns now. Thread-safe.
 */
final class CacheBudget {
  private final long bytesMax;
  private final AtomicInteger partitions = new AtomicInteger();

  CacheBudget(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  /** One partition more has a share. */
  void join() {
    partitions.incrementAndGet();
  }

  /** One less has. */
  void leave() {
    partitions.decrementAndGet();
  }

  /** A partition's share, in bytes. */
  long share() {
    return bytesMax / Math.max(1, partitions.get());
  }
}
