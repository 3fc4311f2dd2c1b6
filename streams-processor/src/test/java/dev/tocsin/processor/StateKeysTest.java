package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.Timer;
import dev.tocsin.schemas.Key128;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.utils.Bytes;
import org.junit.jupiter.api.Test;

class StateKeysTest {
  private final Random random = new Random(7);

  @Test
  void timer_sortsAsTimersDo() {
    List<Timer.Kind> kinds = List.of(Timer.Kind.values());
    List<Timer> timers = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      long dueMs = random.nextBoolean() ? random.nextInt(4) : random.nextLong(1L << 48);
      Timer.Kind kind = kinds.get(random.nextInt(kinds.size()));
      timers.add(new Timer(dueMs, kind, Keys.random(random)));
    }
    List<Bytes> keys = timers.stream().map(StateKeys::timer).sorted().toList();
    assertThat(keys.stream().map(StateKeys::timer)).isEqualTo(timers.stream().sorted().toList());
  }

  @Test
  void timer_staysWithinItsTable() {
    Bytes last = StateKeys.timer(new Timer(Long.MAX_VALUE, Timer.Kind.SILENCE, Keys.of(-1L, -1L)));
    assertThat(last).isGreaterThan(StateKeys.first(StateKeys.TIMER));
    assertThat(last).isLessThan(StateKeys.end(StateKeys.TIMER));
  }

  @Test
  void key_isReadBack() {
    Key128 key = Keys.random(random);
    assertThat(StateKeys.key(StateKeys.of(StateKeys.INCIDENT, key))).isEqualTo(key);
  }

  @Test
  void receipts_sortByBucketThenChunkAndAreReadBack() {
    Bytes key = StateKeys.receipts(1L << 40, 70_000);
    assertThat(StateKeys.bucket(key)).isEqualTo(1L << 40);
    assertThat(StateKeys.chunk(key)).isEqualTo(70_000);
    assertThat(StateKeys.receipts(1, 255)).isLessThan(StateKeys.receipts(1, 256));
    assertThat(StateKeys.receipts(1, 70_000)).isLessThan(StateKeys.receipts(2, 0));
  }

  @Test
  void index_hasTheNewestFirst() {
    Key128 older = Keys.of(1, -1L);
    Key128 newer = Keys.of(2, 0);
    Bytes newest = StateKeys.index("w", true, newer);
    assertThat(newest).isLessThan(StateKeys.index("w", true, older));
    assertThat(StateKeys.indexed(newest)).isEqualTo(newer);
  }

  @Test
  void index_keepsWorkspacesApart() {
    List<String> names = List.of("", "a", "ab", "abc", "b", "a\u0000", "a\u0001", "\u00e4", "aaaa");
    for (String name : names) {
      for (boolean open : new boolean[] {true, false}) {
        Bytes from = StateKeys.index(name, open);
        Bytes to = StateKeys.indexEnd(name, open);
        for (String other : names) {
          for (Key128 id : List.of(Keys.of(0, 0), Keys.of(-1L, -1L), Keys.random(random))) {
            for (boolean otherOpen : new boolean[] {true, false}) {
              Bytes key = StateKeys.index(other, otherOpen, id);
              boolean within = key.compareTo(from) >= 0 && key.compareTo(to) < 0;
              assertThat(within)
                  .as("%s/%s in %s/%s", other, otherOpen, name, open)
                  .isEqualTo(name.equals(other) && open == otherOpen);
            }
          }
        }
      }
    }
  }

  @Test
  void after_isTheNextKey() {
    Bytes key = StateKeys.index("w", true, Keys.of(5, 5));
    assertThat(StateKeys.after(key)).isGreaterThan(key);
    assertThat(StateKeys.after(key)).isLessThan(StateKeys.index("w", true, Keys.of(5, 4)));
  }
}
