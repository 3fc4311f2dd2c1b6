package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.Timer;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimerQueueTest {
  /** More than memory ever holds. */
  private static final int MANY = 12_000;

  private final DiskStore disk = new DiskStore();
  private final KeyValueStore<Bytes, byte[]> bytes = disk.bytes();
  private TimerQueue queue = new TimerQueue(bytes);

  @AfterEach
  void close() {
    disk.close();
  }

  @Test
  void first_isEmptyWithoutTimers() {
    assertThat(queue.first()).isEmpty();
  }

  @Test
  void first_isNotTheRulesThatFollowTheTimersInTheStore() {
    bytes.put(StateKeys.RULES, new byte[] {1});
    assertThat(new TimerQueue(bytes).first()).isEmpty();
  }

  @Test
  void add_earlierThanTheHorizonComesFirst() {
    for (int i = 0; i < MANY; i++) {
      queue.add(timer(1_000 + i));
    }
    queue = new TimerQueue(bytes);
    queue.add(timer(1));
    queue.add(timer(1_000_000));
    assertThat(queue.first()).contains(timer(1));
  }

  @Test
  void remove_ofOneBeyondTheHorizonIsNotMetLater() {
    for (int i = 0; i < MANY; i++) {
      queue.add(timer(i));
    }
    for (int i = 1; i < MANY; i++) {
      queue.remove(timer(i));
    }
    queue.remove(timer(0));
    assertThat(queue.first()).isEmpty();
    assertThat(new TimerQueue(bytes).first()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void queue_isATreeSet(long seed) {
    Random random = new Random(seed);
    TreeSet<Timer> model = new TreeSet<>();
    for (int step = 0; step < 40_000; step++) {
      boolean growing = step < 15_000;
      int what = random.nextInt(100);
      if (what < (growing ? 70 : 30)) {
        Timer timer = timer(random.nextInt(1_000_000));
        queue.add(timer);
        model.add(timer);
      } else if (what < 80 && !model.isEmpty()) {
        Timer settled = model.pollFirst();
        assertThat(queue.first()).as("step %d of seed %d", step, seed).contains(settled);
        queue.remove(settled);
      } else if (what < 90) {
        Timer near = model.ceiling(timer(random.nextInt(1_000_000)));
        if (near != null) {
          model.remove(near);
          queue.remove(near);
        }
      } else if (what == 99 && random.nextInt(50) == 0) {
        queue = new TimerQueue(bytes);
      }
    }
    while (!model.isEmpty()) {
      Optional<Timer> first = queue.first();
      assertThat(first).contains(model.pollFirst());
      queue.remove(first.orElseThrow());
    }
    assertThat(queue.first()).isEmpty();
  }

  private static Timer timer(long dueMs) {
    return new Timer(dueMs, Timer.Kind.CONDITION, Keys.of(0, dueMs));
  }
}
