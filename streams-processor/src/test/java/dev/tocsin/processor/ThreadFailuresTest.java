package dev.tocsin.processor;

import static org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.REPLACE_THREAD;
import static org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ThreadFailuresTest {
  private final MovedClock clock = new MovedClock();
  private final List<String> givenUp = new ArrayList<>();
  private final ThreadFailures failures = new ThreadFailures(clock, givenUp::add);

  @Test
  void handle_replacesThreeTimesThenGivesUpAndSaysWhy() {
    for (int i = 0; i < ThreadFailures.REPLACED_MAX; i++) {
      assertThat(failures.handle(new IllegalStateException("x"))).isEqualTo(REPLACE_THREAD);
      clock.advance(Duration.ofMinutes(1));
    }
    assertThat(givenUp).isEmpty();
    assertThat(failures.handle(new IllegalStateException("the poison"))).isEqualTo(SHUTDOWN_CLIENT);
    assertThat(givenUp).singleElement().asString().contains("the poison");
  }

  @Test
  void handle_forgetsWhatIsOlderThanTheWindow() {
    for (int i = 0; i < 20; i++) {
      assertThat(failures.handle(new IllegalStateException("x"))).isEqualTo(REPLACE_THREAD);
      clock.advance(ThreadFailures.WINDOW.dividedBy(ThreadFailures.REPLACED_MAX).plusMillis(1));
    }
    assertThat(givenUp).isEmpty();
  }
}
