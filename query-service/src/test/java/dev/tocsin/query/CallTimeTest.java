package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Deadline;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CallTimeTest {
  private static final Duration MAX = Duration.ofSeconds(5);

  private static Deadline in(long millis) {
    return Deadline.after(millis, TimeUnit.MILLISECONDS);
  }

  private static long left(Deadline deadline) {
    return deadline.timeRemaining(TimeUnit.MILLISECONDS);
  }

  @Test
  void time_isTheDefaultWhereTheCallerSaysNothing() {
    CallTime time = CallTime.of(null, false, MAX);
    assertThat(left(time.end())).isBetween(4_500L, 5_000L);
    assertThat(left(time.half())).isBetween(2_000L, 2_500L);
    assertThat(time.late()).isFalse();
  }

  @Test
  void time_endsBeforeTheCallersDeadline() {
    assertThat(left(CallTime.of(in(1_000), false, MAX).end())).isBetween(500L, 900L);
    assertThat(left(CallTime.of(in(4_000), false, MAX).end())).isBetween(3_300L, 3_800L);
  }

  @Test
  void time_isAtMostTheDefaultUnlessTheCallWaitsForTheLog() {
    assertThat(left(CallTime.of(in(60_000), false, MAX).end())).isLessThanOrEqualTo(5_000);
    assertThat(left(CallTime.of(in(60_000), true, MAX).end())).isGreaterThan(50_000);
  }

  @Test
  void time_tooShortToDivideIsTheCallersOwn() {
    Deadline caller = in(10);
    CallTime time = CallTime.of(caller, false, MAX);
    assertThat(time.tight()).isTrue();
    assertThat(time.end()).isSameAs(caller);
    assertThat(time.half()).isSameAs(caller);
  }

  @Test
  void time_isLateOnceItsDeadlineHasPassed() {
    CallTime time = CallTime.of(in(-1), false, MAX);
    assertThat(time.late()).isTrue();
    assertThat(time.allows(Duration.ZERO)).isFalse();
  }
}
