package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Tally;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TableTest {
  private static final Codec<Tally> CODEC = Codec.of(Tally.class);
  private static final Key128 KEY = Keys.of(1, 1);

  private final DiskStore disk = new DiskStore();
  private final Table<Tally> table = new Table<>(StateKeys.TALLY, CODEC, disk.bytes(), 10);

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
    table.flush();
    assertThat(CODEC.decode(stored(KEY))).isEqualTo(tally(5));
    assertThat(table.dirty()).isZero();
    assertThat(table.get(KEY)).isEqualTo(tally(5));
  }

  @Test
  void put_ofNullRemovesWhatIsStoredAndWhatIsKept() {
    table.put(KEY, tally(5));
    table.flush();
    table.put(KEY, null);
    assertThat(table.get(KEY)).isNull();
    assertThat(table.peek(KEY)).isNull();
    table.flush();
    assertThat(stored(KEY)).isNull();
    assertThat(table.get(KEY)).isNull();
    assertThat(table.peek(KEY)).isNull();
  }

  @Test
  void flush_storesTheLastValueOnlyOnce() {
    for (int i = 0; i < 100; i++) {
      table.put(KEY, tally(i));
    }
    table.flush();
    disk.bytes().delete(StateKeys.of(StateKeys.TALLY, KEY));
    table.flush();
    assertThat(stored(KEY)).as("nothing is changed, so nothing is stored again").isNull();
  }

  @Test
  void get_findsWhatLeftTheMemory() {
    for (int i = 0; i < 1_000; i++) {
      table.put(Keys.of(2, i), tally(i));
    }
    table.flush();
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
      table.flush();
    }
    end.set(true);
    assertThat(reader.join()).isPositive();
  }

  private byte[] stored(Key128 key) {
    return disk.bytes().get(StateKeys.of(StateKeys.TALLY, key));
  }

  private static Tally tally(long occurrences) {
    return new Tally(occurrences, 1L, 0L, 0L, false);
  }
}
