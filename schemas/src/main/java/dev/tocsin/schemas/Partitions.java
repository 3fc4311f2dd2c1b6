package dev.tocsin.schemas;

/**
 * From route to partition: murmur2 of the route's eight bytes, most significant first, made
 * positive, modulo the number of partitions. That is what Kafka's own default partitioner does with
 * such a key, so other tools agree.
 */
public final class Partitions {
  private static final int SEED = 0x9747b28c;
  private static final int M = 0x5bd1e995;
  private static final int R = 24;

  private Partitions() {}

  /** The partition, from 0, of {@code partitions}. */
  public static int of(long route, int partitions) {
    return (murmur2(route) & 0x7fffffff) % partitions;
  }

  /**
   * Austin Appleby's MurmurHash2 over eight bytes; Kafka reads them as little-endian ints and uses
   * this seed.
   */
  static int murmur2(long route) {
    int h = SEED ^ Long.BYTES;
    h = mix(h, Integer.reverseBytes((int) (route >>> 32)));
    h = mix(h, Integer.reverseBytes((int) route));
    h ^= h >>> 13;
    h *= M;
    return h ^ (h >>> 15);
  }

  private static int mix(int h, int block) {
    int k = block * M;
    k ^= k >>> R;
    k *= M;
    return (h * M) ^ k;
  }
}
