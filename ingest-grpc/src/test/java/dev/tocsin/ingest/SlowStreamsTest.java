package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class SlowStreamsTest {
  private static final int MAX = 2;
  private static final long LONG = SlowStreams.PATIENCE.toNanos();

  private final AtomicLong nanoTime = new AtomicLong();
  private final AtomicLong counted = new AtomicLong();
  private final List<String> cut = new ArrayList<>();
  private final SlowStreams slow = new SlowStreams(MAX, counted::incrementAndGet, nanoTime::get);

  private record Stream(String name, List<String> names) implements SlowStreams.Waiting {
    @Override
    public void cut() {
      names.add(name);
    }
  }

  private Stream add(String name) {
    Stream stream = new Stream(name, cut);
    slow.add(stream);
    return stream;
  }

  @Test
  void oneMore_cutsTheOneThatHasWaitedLongest() {
    add("a");
    add("b");
    nanoTime.set(LONG);
    assertThat(cut).isEmpty();

    add("c");

    assertThat(cut).containsExactly("a");
    assertThat(slow.count()).isEqualTo(MAX);
    assertThat(counted).hasValue(1);
  }

  @Test
  void manyThatWaitForAMoment_areLeftAlone_untilTheyAreFarTooMany() {
    for (int i = 0; i < 4 * MAX; i++) {
      add("s" + i);
    }
    assertThat(cut).isEmpty();

    nanoTime.set(LONG - 1);
    add("one more");

    assertThat(cut).containsExactly("s0");
    assertThat(slow.count()).isEqualTo(4 * MAX);
  }

  @Test
  void manyThatTurnOutToWaitForLong_areAllCutByTheNext() {
    for (int i = 0; i < 4 * MAX; i++) {
      add("s" + i);
    }
    nanoTime.set(LONG);

    add("one more");

    assertThat(slow.count()).isEqualTo(MAX);
    assertThat(cut).hasSize(3 * MAX + 1).startsWith("s0", "s1").doesNotContain("one more");
    assertThat(counted).hasValue(cut.size());
  }

  @Test
  void whoTakesItsAnswersAgain_beginsAnew() {
    Stream first = add("a");
    add("b");
    slow.remove(first);
    slow.add(first);
    nanoTime.set(LONG);

    add("c");

    assertThat(cut).containsExactly("b");
  }
}
