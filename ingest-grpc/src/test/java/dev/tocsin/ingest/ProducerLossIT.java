package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.testsupport.SharedBroker;
import java.time.Duration;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A producer that dies of itself while the log is well. */
@Timeout(120)
final class ProducerLossIT {
  private static final String PRODUCER_THREAD = "kafka-producer-network-thread | loss";

  @Test
  void producerWhoseThreadDies_isMadeAnew_andNothingThatWasTakenIsLeftUnanswered()
      throws Exception {
    Map<String, String> settings =
        Map.of(
            "kafka.client.id", "loss",
            "kafka.interceptor.classes", DyingProducer.class.getName(),
            "kafka.delivery.timeout.ms", "2000",
            "kafka.request.timeout.ms", "1000");
    try (EdgeFixture edge = EdgeFixture.serving(SharedBroker.bootstrap(), settings)) {
      AckedOnce load = new AckedOnce(edge);
      try (load) {
        for (int death = 1; death <= 2; death++) {
          load.awaitMore(500);
          DyingProducer.DEATHS_DUE.set(1);
          int producers = death + 1;
          Awaitility.await()
              .atMost(Duration.ofSeconds(30))
              .until(() -> edge.count("tocsin.edge.producers") == producers);
          load.awaitMore(500);
          assertThat(producerThreads()).isEqualTo(1);
        }
      }
      load.verify();
      assertThat(edge.gauge("tocsin.edge.in.flight.alerts")).isZero();
      assertThat(edge.count("tocsin.edge.refusals", "reason", Refusal.LOG_FAILED.name()))
          .as("those that the dead ones had")
          .isPositive();
      assertThat(edge.health.serving()).isTrue();
    }
    assertThat(producerThreads()).isZero();
  }

  private static long producerThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals(PRODUCER_THREAD))
        .count();
  }
}
