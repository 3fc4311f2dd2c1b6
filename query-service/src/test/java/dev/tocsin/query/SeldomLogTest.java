package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.slf4j.helpers.NOPLogger;

class SeldomLogTest {
  @Test
  void error_isToldOnceAMinute() {
    AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1); // as nanoTime may: it wraps
    SeldomLog log = new SeldomLog(NOPLogger.NOP_LOGGER, nanos::get);
    assertThat(log.error("one")).isTrue();
    for (int i = 0; i < 1_000; i++) {
      assertThat(log.error("another")).isFalse();
    }
    nanos.addAndGet(Duration.ofSeconds(59).toNanos());
    assertThat(log.error("another")).isFalse();
    nanos.addAndGet(Duration.ofSeconds(1).toNanos());
    assertThat(log.error("another")).isTrue();
    assertThat(log.error("another")).isFalse();
  }
}
