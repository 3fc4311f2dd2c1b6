package dev.tocsin.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.runtime.Caller;
import dev.tocsin.runtime.Settings;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class QuotasTest {
  private static final Caller ANNA = new Caller("shop", "anna");
  private static final Caller BERT = new Caller("shop", "bert");

  @Test
  void quota_isABurst_thenSaysHowLongToWait() {
    Quota quota =
        quotas(Map.of("limits.alerts-per-second", "10", "limits.alerts-burst", "3")).of(ANNA);
    for (int i = 0; i < 3; i++) {
      assertThat(quota.takeAlert()).isZero();
    }
    assertThat(quota.takeAlert()).isBetween(Duration.ofNanos(1), Duration.ofMillis(100));
    assertThat(quota.takeCall()).isZero();
  }

  @Test
  void principals_haveOneEach_andShareThatOfAll() {
    Quotas quotas =
        quotas(
            Map.of(
                "limits.alerts-per-second", "1",
                "limits.alerts-burst", "2",
                "limits.all-alerts-per-second", "1",
                "limits.all-alerts-burst", "3"));
    assertThat(quotas.of(ANNA).takeAlert()).isZero();
    assertThat(quotas.of(ANNA).takeAlert()).isZero();
    assertThat(quotas.of(ANNA).takeAlert()).isPositive();
    assertThat(quotas.of(BERT).takeAlert()).isZero();
    assertThat(quotas.of(BERT).takeAlert()).isPositive();
  }

  @Test
  void refusal_byTheSharedOneCostsNothingOfOnesOwn() {
    Quotas quotas =
        quotas(
            Map.of(
                "limits.alerts-per-second", "1",
                "limits.alerts-burst", "1",
                "limits.all-alerts-per-second", "1",
                "limits.all-alerts-burst", "1"));
    assertThat(quotas.of(ANNA).takeAlert()).isZero();
    Quota bert = quotas.of(BERT);
    assertThat(bert.takeAlert()).isPositive();
    // His own is still full: what he is told to wait for is the shared one.
    assertThat(bert.takeAlert()).isBetween(Duration.ofMillis(1), Duration.ofMillis(1_000));
  }

  @Test
  void withoutBounds_thereAreNone() {
    Quota quota = quotas(Map.of()).of(ANNA);
    for (int i = 0; i < 100_000; i++) {
      assertThat(quota.takeAlert().isZero() && quota.takeCall().isZero()).isTrue();
    }
  }

  @Test
  void streamThatStaysOpen_sharesItsBucketWithLaterOnes() {
    AtomicLong nanos = new AtomicLong();
    Quotas quotas =
        new Quotas(
            config(Map.of("limits.alerts-per-second", "1", "limits.alerts-burst", "1")),
            Duration.ofMinutes(10),
            nanos::get);
    Quota first = quotas.of(ANNA);
    assertThat(first.takeAlert()).isZero();
    nanos.addAndGet(Duration.ofMinutes(11).toNanos());
    assertThat(quotas.of(BERT).takeAlert()).isZero(); // the cache looks who has to go

    assertThat(quotas.of(ANNA)).isSameAs(first);
  }

  private static Quotas.Config config(Map<String, String> settings) {
    return Quotas.Config.read(Settings.of(settings));
  }

  private static Quotas quotas(Map<String, String> settings) {
    return new Quotas(config(settings));
  }
}
