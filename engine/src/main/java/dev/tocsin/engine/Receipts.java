package dev.tocsin.engine;

import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Rules;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * The sightings of the receipt window: a set of receipts, by 96 bits of their hashes, each with
 * where it stands on the log and what came of it, in buckets by the time of their coming. A bucket
 * takes receipts for five minutes of fold time, or until it holds its share of the bound; it goes
 * as a whole when the window has passed since its last receipt, or when the bound is exceeded, the
 * oldest first. So a receipt is remembered for at least the window, unless more come within it than
 * the bound.
 *
 * <p>It is kept elsewhere in chunks: what was added since the last time, packed. Sizes: in a chunk
 * 16 bytes a receipt and about 2 for its position; in memory 24 to 30. One thread; what {@link
 * #view} gives is for any.
 */
public final class Receipts {
  /** Where chunks are kept. */
  public interface Chunks {
    /**
     * Keeps a chunk.
     *
     * @param keys of its receipts; software that knows no positions reads and writes the same
     * @param positions of its receipts and what came of them, in the same order
     */
    void put(long bucket, int chunk, byte[] keys, byte[] positions);

    /** Forgets a chunk. */
    void delete(long bucket, int chunk);
  }

  /** Receipts as they were at one moment. Thread-safe. */
  public static final class View {
    private final List<ReceiptBucket.View> buckets;

    private View(List<ReceiptBucket.View> buckets) {
      this.buckets = buckets;
    }

    /**
     * Those of one workspace, source and alert id, and perhaps, one in a thousand times, of another
     * that has the same hash. It goes through all receipts, 4 bytes of each: milliseconds, where
     * there are millions.
     *
     * @param alert as {@link Stamper#receiptAlert} gives it
     * @param max how many are given; of more the newest
     */
    public Found find(int alert, int max) {
      Deque<Receipt> newest = new ArrayDeque<>();
      long total = 0;
      for (int i = buckets.size() - 1; i >= 0; i--) {
        ReceiptBucket.View bucket = buckets.get(i);
        for (int receipt = bucket.size() - 1; receipt >= 0; receipt--) {
          if (bucket.alert(receipt) == alert) {
            total++;
            if (newest.size() < max) {
              newest.add(bucket.receipt(receipt));
            }
          }
        }
      }
      return new Found(List.copyOf(newest), total);
    }
  }

  /**
   * What was looked for.
   *
   * @param newest newest first
   * @param total how many there are
   */
  public record Found(List<Receipt> newest, long total) {}

  private static final long BUCKET_MS = 5 * 60_000;
  private static final int BUCKETS_PER_BOUND = 12;
  private static final int CHUNK_HEADER_BYTES = 2 * Long.BYTES;

  /** The first byte of a chunk's positions: how the rest is to be read. */
  private static final byte POSITIONS_LAYOUT = 1;

  private static final byte[] NO_POSITIONS = {POSITIONS_LAYOUT};

  private final ReceiptMemory memory;
  private final Deque<ReceiptBucket> buckets = new ArrayDeque<>();
  private final Deque<ReceiptBucket> dropped = new ArrayDeque<>();
  private long size;
  private long nextBucket;

  /** None yet, in the heap. */
  public Receipts() {
    this(ReceiptMemory.HEAP);
  }

  /** None yet. */
  public Receipts(ReceiptMemory memory) {
    this.memory = memory;
  }

  /** Whether {@code receipt} came within the window before {@code atMs}. */
  public boolean contains(Key128 receipt, long atMs, Rules rules) {
    long high = Receipt.high(receipt);
    int low = Receipt.low(receipt);
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
  public void add(Receipt receipt, long atMs, Rules rules) {
    expire(atMs, rules);
    ReceiptBucket bucket = buckets.peekLast();
    if (bucket == null || atMs - bucket.startMs() >= BUCKET_MS || bucket.size() >= share(rules)) {
      bucket = open(nextBucket, atMs);
    }
    bucket.add(
        Receipt.high(receipt.key()),
        Receipt.low(receipt.key()),
        Receipt.alert(receipt.key()),
        receipt.offset(),
        receipt.index(),
        receipt.effect(),
        atMs);
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

  /** What their tables take, in bytes. */
  public long heldBytes() {
    return buckets.stream().mapToLong(ReceiptBucket::heldBytes).sum();
  }

  /** Those that are remembered at this fold time. Cheap: nothing is copied. */
  public View view(long atMs, Rules rules) {
    return new View(
        buckets.stream()
            .filter(bucket -> !expired(bucket, atMs, rules))
            .map(ReceiptBucket::view)
            .toList());
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
      int more = bucket.size() - bucket.flushed();
      if (more > 0) {
        ByteBuffer keys = ByteBuffer.allocate(CHUNK_HEADER_BYTES + more * 2 * Long.BYTES);
        keys.putLong(bucket.startMs()).putLong(bucket.lastMs());
        ReceiptPositions unflushed = new ReceiptPositions();
        bucket.writeUnflushed(keys, unflushed);
        byte[] positions = unflushed.toBytes();
        ByteBuffer packed = ByteBuffer.allocate(1 + positions.length);
        packed.put(POSITIONS_LAYOUT).put(positions);
        chunks.put(bucket.number(), bucket.nextChunk(), keys.array(), packed.array());
      }
    }
  }

  /**
   * Takes back a chunk that was handed over; in the order of bucket, then chunk.
   *
   * @param positions null where none were kept, as software did that knew none
   */
  public void load(long number, int chunk, byte[] keys, byte[] positions) {
    ByteBuffer bytes = ByteBuffer.wrap(keys);
    long startMs = bytes.getLong();
    long lastMs = bytes.getLong();
    ReceiptBucket bucket = buckets.peekLast();
    if (bucket == null || bucket.number() != number) {
      bucket = open(number, startMs);
    }
    boolean known = positions != null && positions[0] == POSITIONS_LAYOUT;
    ReceiptPositions.Reader position =
        new ReceiptPositions.Reader(ByteBuffer.wrap(known ? positions : NO_POSITIONS), 1);
    while (bytes.hasRemaining()) {
      AlertEffect effect = position.isAtEnd() ? AlertEffect.UNKNOWN : position.next();
      bucket.add(
          bytes.getLong(),
          bytes.getInt(),
          bytes.getInt(),
          position.offset(),
          position.index(),
          effect,
          lastMs);
      size++;
    }
    bucket.loaded(chunk);
  }

  private ReceiptBucket open(long number, long startMs) {
    if (!buckets.isEmpty()) {
      buckets.peekLast().seal();
    }
    ReceiptBucket bucket = new ReceiptBucket(memory, number, startMs);
    buckets.addLast(bucket);
    nextBucket = number + 1;
    return bucket;
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
    int share = Math.max(1, rules.getReceiptsMax() / BUCKETS_PER_BOUND);
    return Math.min(share, ReceiptBucket.SIZE_MAX);
  }
}
