package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Tally;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TableTest {
  private static final Codec<Tally> CODEC = Codec.of(Tally.class);
  private static final long CACHE_BYTES = 3_000;
  private static final Key128 KEY = Keys.of(1, 1);

  private final DiskStore disk = new DiskStore();
  private final RecordCache cache = new RecordCache(() -> CACHE_BYTES);
  private final Table<Tally> table = new Table<>(StateKeys.TALLY, CODEC, disk.bytes(), cache);

  @AfterEach
  void close() {
    disk.close();
  }

  @Test
  void put_isReadAtOnceAndStoredOnlyByFlush() {
    table.put(KEY, tally(5));
    assertThat(table.get(KEY)).isEqualTo(tally(5));
    assertThat(table.peek(KEY)).isEqualTo(tally(5));
    assertThat(stored(KEY)).isNull();
    assertThat(table.dirty()).isEqualTo(1);
    flush();
    assertThat(CODEC.decode(stored(KEY))).isEqualTo(tally(5));
    assertThat(table.dirty()).isZero();
    assertThat(table.get(KEY)).isEqualTo(tally(5));
  }

  @Test
  void put_ofNullRemovesWhatIsStoredAndWhatIsKept() {
    table.put(KEY, tally(5));
    flush();
    table.put(KEY, null);
    assertThat(table.get(KEY)).isNull();
    assertThat(table.peek(KEY)).isNull();
    flush();
    assertThat(stored(KEY)).isNull();
    assertThat(table.get(KEY)).isNull();
    assertThat(table.peek(KEY)).isNull();
  }

  @Test
  void flush_storesTheLastValueOnlyOnce() {
    for (int i = 0; i < 100; i++) {
      table.put(KEY, tally(i));
    }
    flush();
    disk.bytes().delete(StateKeys.of(StateKeys.TALLY, KEY));
    flush();
    assertThat(stored(KEY)).as("nothing is changed, so nothing is stored again").isNull();
  }

  @Test
  void get_findsWhatLeftTheMemory() {
    for (int i = 0; i < 1_000; i++) {
      table.put(Keys.of(2, i), tally(i));
    }
    flush();
    for (int i = 0; i < 1_000; i++) {
      assertThat(table.get(Keys.of(2, i)).getOccurrences()).isEqualTo(i);
    }
  }

  @Test
  void peek_duringFlushesNeverMissesNorGoesBack() {
    AtomicBoolean end = new AtomicBoolean();
    table.put(KEY, tally(0));
    CompletableFuture<Long> reader =
        CompletableFuture.supplyAsync(
            () -> {
              long last = 0;
              long reads = 0;
              while (!end.get()) {
                Tally seen = table.peek(KEY);
                if (seen == null || seen.getOccurrences() < last) {
                  throw new AssertionError("after " + last + " came " + seen);
                }
                last = seen.getOccurrences();
                reads++;
              }
              return reads;
            });
    for (int i = 1; i <= 20_000; i++) {
      table.put(KEY, tally(i));
      flush();
    }
    end.set(true);
    assertThat(reader.join()).isPositive();
  }

  @Test
  void memory_isBounded_andWhatIsAskedForStays() {
    table.put(KEY, tally(-1));
    for (int i = 0; i < 1_000; i++) {
      assertThat(table.get(KEY)).isEqualTo(tally(-1));
      table.put(Keys.of(2, i), tally(i));
      cache.nextEntry();
      flush();
      assertThat(cache.bytes()).isPositive().isLessThanOrEqualTo(CACHE_BYTES);
    }
    disk.bytes().delete(StateKeys.of(StateKeys.TALLY, KEY));
    disk.bytes().delete(StateKeys.of(StateKeys.TALLY, Keys.of(2, 0)));
    assertThat(table.get(KEY)).as("asked for each time").isEqualTo(tally(-1));
    assertThat(table.get(Keys.of(2, 0))).as("asked for once, long ago").isNull();
  }

  @Test
  void whatComesBack_isNotDrivenOutByWhatIsReadOnce() {
    disk.bytes().put(StateKeys.of(StateKeys.TALLY, KEY), CODEC.encode(tally(-1)));
    readOnce(0, 500);
    assertThat(table.get(KEY)).isEqualTo(tally(-1));
    readOnce(500, 1_000);
    assertThat(table.get(KEY)).isEqualTo(tally(-1)); // it comes back
    readOnce(1_000, 1_500);
    disk.bytes().delete(StateKeys.of(StateKeys.TALLY, KEY));
    assertThat(table.get(KEY)).as("stayed").isEqualTo(tally(-1));
  }

  @Test
  void whatCameBackOnce_leavesWhenOthersAreAskedFor() {
    for (int times = 0; times < 3; times++) {
      readOnce(0, 8);
    }
    assertThat(kept(0, 8)).isEqualTo(8);
    for (int times = 0; times < 4; times++) {
      readOnce(100, 108);
    }
    assertThat(kept(100, 108)).as("newer").isEqualTo(8);
    assertThat(kept(0, 8)).as("older").isLessThan(8);
    assertThat(cache.bytes()).isLessThanOrEqualTo(CACHE_BYTES);
  }

  @Test
  void whatIsRemoved_doesNotFillTheQueues() {
    for (int i = 0; i < 10_000; i++) {
      Key128 key = Keys.of(5, i);
      table.put(key, tally(i));
      flush();
      table.put(key, null);
      flush();
      assertThat(cache.size()).isLessThan(10);
    }
    assertThat(cache.bytes()).isZero();
  }

  @Test
  void memory_ofReadsIsBoundedToo() {
    for (int i = 0; i < 1_000; i++) {
      disk.bytes().put(StateKeys.of(StateKeys.TALLY, Keys.of(3, i)), CODEC.encode(tally(i)));
    }
    for (int i = 0; i < 1_000; i++) {
      assertThat(table.get(Keys.of(3, i))).isEqualTo(tally(i));
      assertThat(cache.bytes()).isLessThanOrEqualTo(CACHE_BYTES);
    }
  }

  @Test
  void whatIsChanged_neverLeavesBeforeItIsStored() {
    for (int i = 0; i < 100; i++) {
      table.put(Keys.of(2, i), tally(i));
    }
    flush();
    for (int i = 0; i < 100; i++) {
      table.put(Keys.of(2, i), i % 2 == 0 ? null : tally(-i));
    }
    for (int i = 0; i < 100; i++) {
      disk.bytes().put(StateKeys.of(StateKeys.TALLY, Keys.of(3, i)), CODEC.encode(tally(i)));
      assertThat(table.get(Keys.of(3, i))).isEqualTo(tally(i));
    }
    for (int i = 0; i < 100; i++) {
      assertThat(table.get(Keys.of(2, i))).isEqualTo(i % 2 == 0 ? null : tally(-i));
    }
    flush();
    for (int i = 0; i < 100; i++) {
      assertThat(table.get(Keys.of(2, i))).isEqualTo(i % 2 == 0 ? null : tally(-i));
    }
  }

  private void readOnce(int from, int to) {
    for (int i = from; i < to; i++) {
      disk.bytes().put(StateKeys.of(StateKeys.TALLY, Keys.of(3, i)), CODEC.encode(tally(i)));
      assertThat(table.get(Keys.of(3, i))).isEqualTo(tally(i));
      assertThat(table.get(Keys.of(3, i))).as("by the same entry").isNotNull();
      cache.nextEntry();
    }
  }

  /** How many of them are read though they are not stored. */
  private long kept(int from, int to) {
    return IntStream.range(from, to)
        .mapToObj(i -> Keys.of(3, i))
        .peek(key -> disk.bytes().delete(StateKeys.of(StateKeys.TALLY, key)))
        .filter(key -> table.peek(key) != null)
        .count();
  }

  /** As {@link PartitionStore#flush} does. */
  private void flush() {
    List<KeyValue<Bytes, byte[]>> batch = new ArrayList<>();
    table.encodeInto(batch);
    disk.bytes().putAll(batch);
    table.stored(batch, 0);
    cache.trim();
  }

  private byte[] stored(Key128 key) {
    return disk.bytes().get(StateKeys.of(StateKeys.TALLY, key));
  }

  private static Tally tally(long occurrences) {
    return Tally.newBuilder().setOccurrences(occurrences).setLastSeenMs(1).build();
  }
}
