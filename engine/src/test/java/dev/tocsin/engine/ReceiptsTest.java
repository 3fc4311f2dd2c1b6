package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Rules;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ReceiptsTest {
  private static final long BUCKET_MS = Duration.ofMinutes(5).toMillis();

  /** Keeps chunks as a changelog does, by bucket, then chunk. */
  private static final class Kept implements Receipts.Chunks {
    final TreeMap<Long, TreeMap<Integer, byte[]>> chunks = new TreeMap<>();
    int bytes;

    @Override
    public void put(long bucket, int chunk, byte[] packed) {
      bytes += packed.length;
      byte[] before = chunks.computeIfAbsent(bucket, any -> new TreeMap<>()).put(chunk, packed);
      assertThat(before).as("a chunk is written once").isNull();
    }

    @Override
    public void delete(long bucket, int chunk) {
      assertThat(chunks.get(bucket).remove(chunk)).as("a chunk that is there").isNotNull();
      if (chunks.get(bucket).isEmpty()) {
        chunks.remove(bucket);
      }
    }

    Receipts load() {
      Receipts loaded = new Receipts();
      chunks.forEach(
          (bucket, all) -> all.forEach((chunk, packed) -> loaded.load(bucket, chunk, packed)));
      return loaded;
    }
  }

  @Test
  void receipt_isRememberedForTheWindow() {
    Rules rules = rules(3_600_000, 1000);
    Receipts receipts = new Receipts();
    receipts.add(key(1), 0, rules);
    assertThat(receipts.contains(key(1), 0, rules)).isTrue();
    assertThat(receipts.contains(key(2), 0, rules)).isFalse();
    assertThat(receipts.contains(key(1), 3_599_999, rules)).isTrue();
    assertThat(receipts.contains(key(1), 3_600_000, rules)).isFalse();
    receipts.expire(3_600_000, rules);
    assertThat(receipts.size()).isZero();
  }

  @Test
  void bound_isHeld_andTheOldestGoFirst() {
    Rules rules = rules(3_600_000, 1200);
    Receipts receipts = new Receipts();
    for (int i = 0; i < 5000; i++) {
      receipts.add(key(i), i, rules);
      assertThat(receipts.size()).isLessThanOrEqualTo(1200);
    }
    assertThat(receipts.size()).isGreaterThan(1200 - 1200 / 12);
    for (int i = 0; i < 5000; i++) {
      assertThat(receipts.contains(key(i), 5000, rules)).isEqualTo(i >= 5000 - receipts.size());
    }
  }

  @Test
  void zeros_areAReceiptLikeAnyOther() {
    Rules rules = rules(1000, 100);
    Receipts receipts = new Receipts();
    Key128 zeros = new Key128(new byte[16]);
    assertThat(receipts.contains(zeros, 0, rules)).isFalse();
    receipts.add(zeros, 0, rules);
    assertThat(receipts.contains(zeros, 0, rules)).isTrue();
  }

  @Test
  void receipts_thatDifferLittle_areToldApart() {
    Rules rules = rules(1000, 10_000);
    Receipts receipts = new Receipts();
    for (long i = 0; i < 1000; i++) {
      receipts.add(longs(i << 40, 7), 0, rules); // all in one slot at first
    }
    for (long i = 0; i < 1000; i++) {
      assertThat(receipts.contains(longs(i << 40, 7), 0, rules)).isTrue();
      assertThat(receipts.contains(longs(i << 40, 8), 0, rules)).isFalse();
    }
  }

  @Test
  void flush_writesOnlyWhatIsNew() {
    Rules rules = rules(3_600_000, 10_000);
    Receipts receipts = new Receipts();
    Kept kept = new Kept();
    for (int i = 0; i < 100; i++) {
      receipts.add(key(i), i, rules);
      if (i % 10 == 9) {
        receipts.flush(kept);
      }
    }
    assertThat(kept.bytes).isEqualTo(100 * 16 + 10 * 16);
    receipts.flush(kept);
    assertThat(kept.bytes).isEqualTo(100 * 16 + 10 * 16);
    receipts.expire(100 + 3_600_000, rules);
    receipts.flush(kept);
    assertThat(kept.chunks).isEmpty();
  }

  @Test
  void memory_isBoundedByTheReceipt_onceTheyAreHandedOver() {
    ReceiptBucket bucket = new ReceiptBucket(0, 0);
    Random random = new Random(1);
    for (int i = 0; i < 50_000; i++) {
      bucket.add(random.nextLong(), random.nextLong(), 0);
    }
    assertThat(bucket.heldBytes()).isBetween(40L * 50_000, 80L * 50_000);
    bucket.flushed(ByteBuffer.allocate(50_000 * 16));
    assertThat(bucket.heldBytes()).isBetween(24L * 50_000, 49L * 50_000);
  }

  /** What the description says, looked up in a list. */
  private static final class Model {
    /** Receipts by when they came. */
    private record Bucket(long startMs, Map<Key128, Long> receipts) {
      long lastMs() {
        return receipts.values().stream().mapToLong(Long::longValue).max().orElse(startMs);
      }
    }

    private final List<Bucket> buckets = new ArrayList<>();

    boolean contains(Key128 receipt, long atMs, Rules rules) {
      return buckets.stream()
          .anyMatch(
              bucket ->
                  bucket.lastMs() > atMs - rules.getReceiptWindowMs()
                      && bucket.receipts().containsKey(receipt));
    }

    void add(Key128 receipt, long atMs, Rules rules) {
      buckets.removeIf(bucket -> bucket.lastMs() <= atMs - rules.getReceiptWindowMs());
      Bucket last = buckets.isEmpty() ? null : buckets.get(buckets.size() - 1);
      if (last == null
          || atMs - last.startMs() >= BUCKET_MS
          || last.receipts().size() >= Math.max(1, rules.getReceiptsMax() / 12)) {
        last = new Bucket(atMs, new LinkedHashMap<>());
        buckets.add(last);
      }
      last.receipts().put(receipt, atMs);
      while (size() > rules.getReceiptsMax() && buckets.size() > 1) {
        buckets.remove(0);
      }
    }

    long size() {
      return buckets.stream().mapToLong(bucket -> bucket.receipts().size()).sum();
    }
  }

  @Property(tries = 40)
  void receipts_doWhatTheModelDoes_flushedAndLoadedAtAnyMoment(
      @ForAll Random random,
      @ForAll @IntRange(min = 1, max = 400) int max,
      @ForAll @IntRange(min = 1, max = 40) int windowMinutes) {
    Rules rules = rules(Duration.ofMinutes(windowMinutes).toMillis(), max);
    Receipts receipts = new Receipts();
    Model model = new Model();
    Kept kept = new Kept();
    long nowMs = 0;
    for (int i = 0; i < 300; i++) {
      nowMs += random.nextInt(10) == 0 ? random.nextInt(600_000) : random.nextInt(2_000);
      Key128 receipt = key(random.nextInt(600));
      boolean known = receipts.contains(receipt, nowMs, rules);
      assertThat(known).isEqualTo(model.contains(receipt, nowMs, rules));
      if (!known) {
        receipts.add(receipt, nowMs, rules);
        model.add(receipt, nowMs, rules);
        assertThat(receipts.size()).isEqualTo(model.size());
      }
      switch (random.nextInt(20)) {
        case 0 -> receipts.flush(kept);
        case 1 -> {
          receipts.flush(kept);
          receipts = kept.load();
        }
        case 2 -> receipts.expire(nowMs, rules);
        default -> {}
      }
    }
    receipts.flush(kept);
    long keptReceipts =
        kept.chunks.values().stream()
            .flatMap(all -> all.values().stream())
            .mapToLong(packed -> packed.length / 16 - 1)
            .sum();
    assertThat(keptReceipts).as("what was dropped is deleted").isEqualTo(receipts.size());
  }

  private static Rules rules(long windowMs, int max) {
    Rules rules = DefaultRules.read();
    rules.setReceiptWindowMs(windowMs);
    rules.setReceiptsMax(max);
    return rules;
  }

  private static Key128 key(int i) {
    return new KeyEncoder().begin('x').putInt(i).hash128();
  }

  private static Key128 longs(long high, long low) {
    return new Key128(ByteBuffer.allocate(16).putLong(high).putLong(low).array());
  }
}
