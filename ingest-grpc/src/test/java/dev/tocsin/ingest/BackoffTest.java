package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** How long the next try has to wait. */
final class BackoffTest {
  private static final Duration FIRST = Duration.ofMillis(100);
  private static final Duration MAX = Duration.ofSeconds(1);

  @Test
  void next_doublesUpToItsBound_andBeginsAgainOnceItWorked() {
    Backoff backoff = new Backoff(FIRST, MAX, () -> 1);
    for (int millis : new int[] {100, 200, 400, 800, 1000, 1000}) {
      assertThat(backoff.next()).isEqualTo(Duration.ofMillis(millis));
    }
    backoff.reset();
    assertThat(backoff.next()).isEqualTo(FIRST);
  }

  @Test
  void next_leavesTheLastHalfToChance() {
    assertThat(new Backoff(FIRST, MAX, () -> 0).next()).isEqualTo(Duration.ofMillis(50));
    assertThat(new Backoff(FIRST, MAX, () -> 0.5).next()).isEqualTo(Duration.ofMillis(75));
  }
}
