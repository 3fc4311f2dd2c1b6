package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.Timer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TallyTimersTest {
  private final DiskStore disk = new DiskStore();
  private final KeyValueStore<Bytes, byte[]> bytes = disk.bytes();
  private TallyTimers timers = new TallyTimers(bytes, 0);

  @AfterEach
  void close() {
    disk.close();
  }

  @Test
  void timers_ofOneCommitAreOneRecord_andGoWithTheLastOfThem() {
    timers.add(timer(10));
    timers.add(timer(20));
    assertThat(flush(0)).as("records written").isEqualTo(1);
    assertThat(stored()).isEqualTo(1);
    timers.remove(timer(10));
    assertThat(flush(0)).as("one of two is over").isZero();
    timers.remove(timer(20));
    assertThat(flush(0)).isEqualTo(1);
    assertThat(stored()).isZero();
  }

  @Test
  void timer_thatCameAndWentBetweenTwoCommitsIsNeverStored() {
    timers.add(timer(10));
    assertThat(timers.remove(timer(10))).isTrue();
    assertThat(flush(0)).isZero();
  }

  @Test
  void whatIsOver_doesNotComeBack_thoughItsChunkIsStored() {
    timers.add(timer(10));
    timers.add(timer(20));
    flush(0);
    timers.remove(timer(10));
    flush(0);
    timers = new TallyTimers(bytes, 10);
    assertThat(timers.first()).contains(timer(20));
    timers.remove(timer(20));
    flush(0);
    assertThat(stored()).isZero();
  }

  @Test
  void chunk_ofWhichAllAreOverWhenItIsReadGoes() {
    timers.add(timer(10));
    flush(0);
    timers = new TallyTimers(bytes, 10);
    assertThat(timers.first()).isEmpty();
    flush(0);
    assertThat(stored()).isZero();
  }

  @Test
  void whatIsLeftInTheMidstOfAMoment_comesBack_andNothingElse() {
    List<Timer> ofOneMoment = List.of(timer(10, 1), timer(10, 2), timer(10, 3));
    ofOneMoment.forEach(timers::add);
    flush(0);
    timers.remove(ofOneMoment.get(0));
    flush(10);
    timers = new TallyTimers(bytes, 10);
    assertThat(timers.first()).contains(ofOneMoment.get(1));
    timers.remove(ofOneMoment.get(1));
    timers.remove(ofOneMoment.get(2));
    flush(10);
    assertThat(stored()).as("nor where it was left").isZero();
  }

  @Test
  void add_refusesMoreThanMayBeHeld() {
    for (int i = 1; i <= TallyTimers.HELD_MAX; i++) {
      assertThat(timers.add(timer(i))).isTrue();
    }
    assertThat(timers.add(timer(1_000_000))).isFalse();
    assertThat(timers.remove(timer(1_000_000))).isFalse();
    timers.remove(timer(1));
    assertThat(timers.add(timer(1_000_000))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void timers_areATreeSet_asFoldTimeGoesOn(long seed) {
    Random random = new Random(seed);
    TreeSet<Timer> model = new TreeSet<>();
    long nowMs = 0;
    for (int step = 0; step < 20_000; step++) {
      int what = random.nextInt(100);
      if (what < 60) {
        Timer timer = timer(nowMs + 1 + random.nextInt(100), random.nextInt(5));
        assertThat(timers.add(timer)).isTrue();
        model.add(timer);
      } else if (what < 90) {
        nowMs += random.nextInt(20);
        int max = random.nextInt(10) == 0 ? random.nextInt(5) : Integer.MAX_VALUE;
        while (!model.isEmpty() && model.first().dueMs() <= nowMs && max-- > 0) {
          Optional<Timer> first = timers.first();
          assertThat(first).as("step %d of seed %d", step, seed).contains(model.pollFirst());
          assertThat(timers.remove(first.orElseThrow())).isTrue();
        }
      } else {
        flush(nowMs);
        if (what == 99) {
          timers = new TallyTimers(bytes, nowMs);
        }
      }
      assertThat(timers.first()).isEqualTo(model.stream().findFirst());
    }
  }

  private int flush(long foldTimeMs) {
    List<KeyValue<Bytes, byte[]>> batch = new ArrayList<>();
    timers.flushInto(batch, foldTimeMs);
    bytes.putAll(batch);
    return batch.size();
  }

  private int stored() {
    int stored = 0;
    try (KeyValueIterator<Bytes, byte[]> all = bytes.all()) {
      while (all.hasNext()) {
        all.next();
        stored++;
      }
    }
    return stored;
  }

  private static Timer timer(long dueMs) {
    return timer(dueMs, dueMs);
  }

  private static Timer timer(long dueMs, long about) {
    return new Timer(dueMs, Timer.Kind.TALLY, Keys.of(0, about));
  }
}
