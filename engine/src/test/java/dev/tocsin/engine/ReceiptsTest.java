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
import java.util.function.Function;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ReceiptsTest {
  private static final long BUCKET_MS = Duration.ofMinutes(5).toMillis();

  /** Keeps chunks as a changelog does, by bucket, then chunk. */
  private static final class Kept implements Receipts.Chunks {
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Chunk(byte[] keys, byte[] positions) {}

    final TreeMap<Long, TreeMap<Integer, Chunk>> chunks = new TreeMap<>();
    int keyBytes;
    int positionBytes;

    @Override
    public void put(long bucket, int chunk, byte[] keys, byte[] positions) {
      keyBytes += keys.length;
      positionBytes += positions.length;
      Chunk before =
          chunks
              .computeIfAbsent(bucket, any -> new TreeMap<>())
              .put(chunk, new Chunk(keys, positions));
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
      return load(Chunk::positions);
    }

    Receipts load(Function<Chunk, byte[]> positions) {
      Receipts loaded = new Receipts();
      chunks.forEach(
          (bucket, all) ->
              all.forEach(
                  (number, chunk) ->
                      loaded.load(bucket, number, chunk.keys(), positions.apply(chunk))));
      return loaded;
    }
  }

  @Test
  void receipt_isRememberedForTheWindow() {
    Rules rules = rules(3_600_000, 1000);
    Receipts receipts = new Receipts();
    receipts.add(receipt(1), 0, rules);
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
      receipts.add(receipt(i), i, rules);
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
    receipts.add(new Receipt(zeros, 1, 0, AlertEffect.OPENED), 0, rules);
    assertThat(receipts.contains(zeros, 0, rules)).isTrue();
  }

  @Test
  void receipts_thatDifferLittle_areToldApart() {
    Rules rules = rules(1000, 10_000);
    Receipts receipts = new Receipts();
    for (long i = 0; i < 1000; i++) {
      Key128 key = longs(i << 20, 7); // all in one slot at first
      receipts.add(new Receipt(key, i, 0, AlertEffect.JOINED), 0, rules);
    }
    for (long i = 0; i < 1000; i++) {
      assertThat(receipts.contains(longs(i << 20, 7), 0, rules)).isTrue();
      assertThat(receipts.contains(longs(i << 20, 7L + (1L << 32)), 0, rules)).isFalse();
    }
  }

  @Test
  void flush_writesOnlyWhatIsNew() {
    Rules rules = rules(3_600_000, 10_000);
    Receipts receipts = new Receipts();
    Kept kept = new Kept();
    for (int i = 0; i < 100; i++) {
      receipts.add(receipt(i), i, rules);
      if (i % 10 == 9) {
        receipts.flush(kept);
      }
    }
    assertThat(kept.keyBytes).isEqualTo(100 * 16 + 10 * 16);
    int positionBytes = kept.positionBytes;
    receipts.flush(kept);
    assertThat(kept.keyBytes).isEqualTo(100 * 16 + 10 * 16);
    assertThat(kept.positionBytes).isEqualTo(positionBytes);
    receipts.expire(100 + 3_600_000, rules);
    receipts.flush(kept);
    assertThat(kept.chunks).isEmpty();
  }

  @Test
  void receipts_ofManyBlocks_areFlushedAtAnyPlaceAndLoaded() {
    Rules rules = rules(3_600_000, 600_000);
    Receipts receipts = new Receipts();
    Kept kept = new Kept();
    int count = 3 * ReceiptBlock.SIZE + 5;
    for (int i = 0; i < count; i++) {
      receipts.add(receipt(i), 0, rules);
      if (i % 5_000 == 0 || i % ReceiptBlock.SIZE == 0) {
        receipts.flush(kept);
      }
    }
    receipts.flush(kept);
    Receipts loaded = kept.load();
    assertThat(loaded.size()).isEqualTo(count);
    for (int i = 0; i < count; i += 7) {
      assertThat(loaded.contains(key(i), 0, rules)).isTrue();
      assertThat(found(loaded, key(i))).isEqualTo(receipt(i));
      assertThat(found(receipts, key(i))).isEqualTo(receipt(i));
    }
    assertThat(loaded.contains(key(count), 0, rules)).isFalse();
  }

  @Test
  void slots_areOfTheWholeHash_soThatOneAlertIdUnderManyRoutesCostsWhatManyAlertsCost() {
    Rules rules = rules(1000, 4_000_000);
    Receipts receipts = new Receipts();
    Random random = new Random(1);
    long before = System.nanoTime();
    for (int i = 0; i < 300_000; i++) {
      Key128 key = longs(random.nextLong(), (long) random.nextInt() << 32 | 17);
      assertThat(receipts.contains(key, 0, rules)).isFalse();
      receipts.add(new Receipt(key, i, 0, AlertEffect.JOINED), 0, rules);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(20));
    Receipts.Found found = receipts.view(0, rules).find(17, 3);
    assertThat(found.total()).isEqualTo(300_000);
    assertThat(found.newest())
        .extracting(Receipt::offset)
        .containsExactly(299_999L, 299_998L, 299_997L);
  }

  /** What a receipt costs; the numbers stand in the description of {@link Receipts}. */
  @Test
  void memoryAndChunks_areBoundedByTheReceipt() {
    for (int count : new int[] {100_000, 333_333}) {
      for (int perEntry : new int[] {1, 100}) {
        ReceiptBucket bucket = new ReceiptBucket(ReceiptMemory.HEAP, 0, 0);
        Random random = new Random(1);
        for (int i = 0; i < count; i++) {
          bucket.add(
              random.nextLong(),
              random.nextInt(),
              random.nextInt(),
              1_000_000_000L + i / perEntry,
              i % perEntry,
              AlertEffect.REPEATED,
              0);
        }
        double open = (double) bucket.heldBytes() / count;
        ReceiptPositions positions = new ReceiptPositions();
        bucket.writeUnflushed(ByteBuffer.allocate(count * 16), positions);
        double chunk = 16 + (double) positions.toBytes().length / count;
        bucket.seal();
        double sealed = (double) bucket.heldBytes() / count;
        System.out.printf(
            "%,d receipts, %d an entry: %.1f bytes each in memory, %.1f once sealed, %.1f in a chunk%n",
            count, perEntry, open, sealed, chunk);
        assertThat(chunk).isBetween(18.0, 18.2);
        assertThat(sealed).isBetween(22.0, 31.0);
        assertThat(open).isBetween(sealed, sealed + 10);
      }
    }
  }

  @Test
  void find_givesPositionAndEffect_alsoOfWhatWasLoaded() {
    Rules rules = rules(3_600_000, 10_000);
    Receipts receipts = new Receipts();
    receipts.add(new Receipt(longs(1, 5), 7, 3, AlertEffect.OPENED), 0, rules);
    receipts.add(new Receipt(longs(2, 6), 7, 4, AlertEffect.STALE), 0, rules);
    receipts.add(
        new Receipt(longs(3, 5), 1L << 50, 65_536, AlertEffect.RESOLVED_CONDITION),
        BUCKET_MS,
        rules);
    Kept kept = new Kept();
    receipts.flush(kept);
    for (Receipts each : List.of(receipts, kept.load())) {
      Receipts.Found found = each.view(BUCKET_MS, rules).find(5, 10);
      assertThat(found.total()).isEqualTo(2);
      assertThat(found.newest())
          .containsExactly(
              new Receipt(longs(3, 5), 1L << 50, 65_536, AlertEffect.RESOLVED_CONDITION),
              new Receipt(longs(1, 5), 7, 3, AlertEffect.OPENED));
      assertThat(each.view(BUCKET_MS, rules).find(4, 10).newest()).isEmpty();
      assertThat(each.view(3_600_000, rules).find(5, 10).total()).as("not expired").isEqualTo(1);
    }
  }

  @Test
  void chunks_withoutPositions_orWithThoseOfNewerSoftware_areStillReceipts() {
    Rules rules = rules(3_600_000, 10_000);
    Receipts receipts = new Receipts();
    for (int i = 0; i < 200; i++) {
      receipts.add(receipt(i), 0, rules);
    }
    Kept kept = new Kept();
    receipts.flush(kept);
    List<Receipts> loaded =
        List.of(kept.load(chunk -> null), kept.load(chunk -> new byte[] {2, 9}));
    for (Receipts each : loaded) {
      each.add(receipt(200), 0, rules);
      for (int i = 0; i <= 200; i++) {
        assertThat(each.contains(key(i), 0, rules)).isTrue();
        AlertEffect effect = i < 200 ? AlertEffect.UNKNOWN : receipt(i).effect();
        assertThat(found(each, key(i)).effect()).isEqualTo(effect);
      }
      Kept again = new Kept();
      kept.chunks.forEach((bucket, all) -> again.chunks.put(bucket, new TreeMap<>(all)));
      each.flush(again);
      Receipts after = again.load();
      assertThat(found(after, key(200))).isEqualTo(receipt(200));
    }
  }

  private static Receipt found(Receipts receipts, Key128 key) {
    return receipts.view(0, rules(3_600_000, 10_000)).find(Receipt.alert(key), 10).newest().stream()
        .filter(each -> each.key().equals(key))
        .findAny()
        .orElseThrow();
  }

  @Test
  void receipt_ofBefore_isTheSameSighting() {
    Rules rules = rules(3_600_000, 10_000);
    Receipts receipts = new Receipts();
    receipts.add(new Receipt(longs(1, 2L << 32 | 99), 7, 3, AlertEffect.OPENED), 0, rules);
    assertThat(receipts.contains(longs(1, 2L << 32 | 98), 0, rules))
        .as("the last 32 bits differ where edges of two versions stamp one alert")
        .isTrue();
    assertThat(receipts.contains(longs(1, 3L << 32 | 99), 0, rules)).isFalse();
  }

  @Property(tries = 100)
  void positions_areReadBackFromAnyPlace(
      @ForAll Random random, @ForAll @IntRange(min = 1, max = 300) int count) {
    ReceiptPositions positions = new ReceiptPositions();
    List<Receipt> expected = new ArrayList<>();
    long offset = random.nextInt(3);
    int index = 0;
    for (int i = 0; i < count; i++) {
      boolean same = random.nextBoolean();
      index = (same ? index + 1 : 0) + random.nextInt(3);
      offset += same ? 0 : 1 + (long) (random.nextDouble() * (1L << random.nextInt(40)));
      AlertEffect effect = AlertEffect.of(1 + random.nextInt(10));
      positions.append(offset, index, effect);
      expected.add(new Receipt(key(0), offset, index, effect));
    }
    int from = random.nextInt(count);
    read(positions.view().from(from), expected.subList(from, count));
    ReceiptPositions copied = new ReceiptPositions();
    positions.view().copy(from, copied);
    ByteBuffer alone = ByteBuffer.wrap(copied.toBytes());
    read(new ReceiptPositions.Reader(alone, 0), expected.subList(from, count));
    positions.settle(ReceiptMemory.HEAP);
    read(positions.view().from(from), expected.subList(from, count));
  }

  private static void read(ReceiptPositions.Reader reader, List<Receipt> expected) {
    for (Receipt each : expected) {
      AlertEffect effect = reader.next();
      assertThat(new Receipt(key(0), reader.offset(), reader.index(), effect)).isEqualTo(each);
    }
  }

  /** What the description says, looked up in a list. */
  private static final class Model {
    /** Receipts by when they came. */
    private record Bucket(long startMs, Map<Receipt, Long> receipts) {
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
                      && bucket.receipts().keySet().stream()
                          .anyMatch(each -> each.key().equals(receipt)));
    }

    List<Receipt> find(int alert, long atMs, Rules rules) {
      List<Receipt> found = new ArrayList<>();
      buckets.stream()
          .filter(bucket -> bucket.lastMs() > atMs - rules.getReceiptWindowMs())
          .flatMap(bucket -> bucket.receipts().keySet().stream())
          .filter(each -> Receipt.alert(each.key()) == alert)
          .forEach(each -> found.add(0, each));
      return found;
    }

    void add(Receipt receipt, long atMs, Rules rules) {
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
      Receipt receipt =
          new Receipt(
              key(random.nextInt(600)), i / 3, i % 3, AlertEffect.of(1 + random.nextInt(10)));
      boolean known = receipts.contains(receipt.key(), nowMs, rules);
      assertThat(known).isEqualTo(model.contains(receipt.key(), nowMs, rules));
      if (!known) {
        receipts.add(receipt, nowMs, rules);
        model.add(receipt, nowMs, rules);
        assertThat(receipts.size()).isEqualTo(model.size());
      }
      int alert = Receipt.alert(key(random.nextInt(600)));
      Receipts.Found found = receipts.view(nowMs, rules).find(alert, 5);
      List<Receipt> expected = model.find(alert, nowMs, rules);
      assertThat(found.total()).isEqualTo(expected.size());
      assertThat(found.newest()).isEqualTo(expected.stream().limit(5).toList());
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
            .mapToLong(chunk -> chunk.keys().length / 16 - 1)
            .sum();
    assertThat(keptReceipts).as("what was dropped is deleted").isEqualTo(receipts.size());
  }

  private static Rules rules(long windowMs, int max) {
    Rules rules = DefaultRules.read();
    rules.setReceiptWindowMs(windowMs);
    rules.setReceiptsMax(max);
    return rules;
  }

  private static Receipt receipt(int i) {
    AlertEffect effect = AlertEffect.of(1 + i % 10);
    return new Receipt(key(i), 1_000 + i / 3, i % 3, effect);
  }

  /** Of every six one alert id. */
  private static Key128 key(int i) {
    return Receipt.key(new KeyEncoder().begin('x').putInt(i).hash128(), i / 6);
  }

  private static Key128 longs(long high, long low) {
    return new Key128(ByteBuffer.allocate(16).putLong(high).putLong(low).array());
  }
}
