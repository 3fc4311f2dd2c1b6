package dev.tocsin.ingest;

import dev.tocsin.broker.ParentWatch;
import java.time.Duration;

/** One node of {@link Brokers}: Kafka's own main, which ends with the test. */
final class BrokerNode {
  private BrokerNode() {}

  public static void main(String[] args) {
    ParentWatch.begin(System.in, Duration.ofSeconds(5));
    kafka.Kafka.main(args);
  }
}
