package dev.tocsin.engine;

import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Rules;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;

/**
 * The sightings of the receipt window: a set of 128-bit receipts, in buckets by the time of their
 * coming. A bucket takes receipts for five minutes of fold time, or until it holds its share of the
 * bound; it goes as a whole when the window has passed since its last receipt, or when the bound is
 * exceeded, the oldest first. So a receipt is remembered for at least the window, unless more come
 * within it than the bound.
 *
 * <p>It is kept elsewhere in chunks: what was added since the last time, packed. Sizes: 16 bytes a
 * receipt in a chunk; in memory 24 to 48, and 16 to 32 more until it is handed over. One thread.
 */
public final class Receipts {
  /** Where chunks are kept. */
  public interface Chunks {
    /** Keeps a chunk. */
    void put(long bucket, int chunk, byte[] packed);

    /** Forgets a chunk. */
    void delete(long bucket, int chunk);
  }

  private static final long BUCKET_MS = 5 * 60_000;
  private static final int BUCKETS_PER_BOUND = 12;
  private static final int CHUNK_HEADER_BYTES = 2 * Long.BYTES;

  private final Deque<ReceiptBucket> buckets = new ArrayDeque<>();
  private final Deque<ReceiptBucket> dropped = new ArrayDeque<>();
  private long size;
  private long nextBucket;

  /** Whether {@code receipt} came within the window before {@code atMs}. */
  public boolean contains(Key128 receipt, long atMs, Rules rules) {
    ByteBuffer bytes = ByteBuffer.wrap(receipt.bytes());
    long high = bytes.getLong(0);
    long low = bytes.getLong(Long.BYTES);
    for (Iterator<ReceiptBucket> newest = buckets.descendingIterator(); newest.hasNext(); ) {
      ReceiptBucket bucket = newest.next();
      if (expired(bucket, atMs, rules)) {
        return false; // and so are all before it
      }
      if (bucket.contains(high, low)) {
        return true;
      }
    }
    return false;
  }

  /** Adds a receipt that is not contained, and drops what is too old or too much. */
  public void add(Key128 receipt, long atMs, Rules rules) {
    expire(atMs, rules);
    ReceiptBucket bucket = buckets.peekLast();
    if (bucket == null || atMs - bucket.startMs() >= BUCKET_MS || bucket.size() >= share(rules)) {
      bucket = new ReceiptBucket(nextBucket++, atMs);
      buckets.addLast(bucket);
    }
    ByteBuffer bytes = ByteBuffer.wrap(receipt.bytes());
    bucket.add(bytes.getLong(0), bytes.getLong(Long.BYTES), atMs);
    size++;
    while (size > rules.getReceiptsMax() && buckets.size() > 1) {
      drop();
    }
  }

  /**
   * Drops what is too old. To be called, under the rules as they were, whenever they change: under
   * a longer window what is forgotten, but still there, would be remembered again.
   */
  public void expire(long atMs, Rules rules) {
    while (!buckets.isEmpty() && expired(buckets.peekFirst(), atMs, rules)) {
      drop();
    }
  }

  /** How many are remembered. */
  public long size() {
    return size;
  }

  /** Hands over what has changed since the last time: new chunks, and those of dropped buckets. */
  public void flush(Chunks chunks) {
    for (ReceiptBucket bucket : dropped) {
      for (int chunk = 0; chunk < bucket.chunks(); chunk++) {
        chunks.delete(bucket.number(), chunk);
      }
    }
    dropped.clear();
    for (ReceiptBucket bucket : buckets) {
      int first = bucket.unflushed();
      if (first < bucket.size()) {
        ByteBuffer packed = ByteBuffer.allocate(CHUNK_HEADER_BYTES + (bucket.size() - first) * 16);
        packed.putLong(bucket.startMs()).putLong(bucket.lastMs());
        chunks.put(bucket.number(), bucket.flushed(packed), packed.array());
      }
    }
  }

  /** Takes back a chunk that was handed over; in the order of bucket, then chunk. */
  public void load(long number, int chunk, byte[] packed) {
    ByteBuffer bytes = ByteBuffer.wrap(packed);
    long startMs = bytes.getLong();
    long lastMs = bytes.getLong();
    ReceiptBucket bucket = buckets.peekLast();
    if (bucket == null || bucket.number() != number) {
      bucket = new ReceiptBucket(number, startMs);
      buckets.addLast(bucket);
      nextBucket = number + 1;
    }
    while (bytes.hasRemaining()) {
      bucket.add(bytes.getLong(), bytes.getLong(), lastMs);
      size++;
    }
    bucket.loaded(chunk);
  }

  private void drop() {
    ReceiptBucket oldest = buckets.removeFirst();
    size -= oldest.size();
    dropped.addLast(oldest);
  }

  private static boolean expired(ReceiptBucket bucket, long atMs, Rules rules) {
    return bucket.lastMs() + rules.getReceiptWindowMs() <= atMs;
  }

  private static int share(Rules rules) {
    return Math.max(1, rules.getReceiptsMax() / BUCKETS_PER_BOUND);
  }
}
