package dev.tocsin.query;

import io.grpc.Status;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.Map;

/**
 * What the service counts: its calls to owners, by method and outcome, and how many rounds a list
 * took. Thread-safe; every series exists from the start.
 */
final class QueryMetrics {
  /** The methods of the owners that are asked. */
  enum Asked {
    READ_INCIDENT,
    SCAN_INCIDENTS,
    READ_PROGRESS,
    READ_DIGEST
  }

  private final Map<Asked, Map<Status.Code, Counter>> calls = new EnumMap<>(Asked.class);
  private final DistributionSummary rounds;
  private final Counter stale;

  QueryMetrics(MeterRegistry meters) {
    for (Asked method : Asked.values()) {
      Map<Status.Code, Counter> byOutcome = new EnumMap<>(Status.Code.class);
      for (Status.Code outcome : Status.Code.values()) {
        byOutcome.put(outcome, counter(meters, method, outcome));
      }
      calls.put(method, byOutcome);
    }
    stale =
        Counter.builder("query.stale.answers")
            .description("Answers of standbys, whose owner was away")
            .register(meters);
    rounds =
        DistributionSummary.builder("query.list.rounds")
            .description("How often the owners had to be asked for one page")
            .register(meters);
  }

  void asked(Asked method, Status.Code outcome) {
    calls.get(method).get(outcome).increment();
  }

  void stale() {
    stale.increment();
  }

  void listed(int rounds) {
    this.rounds.record(rounds);
  }

  private static Counter counter(MeterRegistry meters, Asked method, Status.Code outcome) {
    return Counter.builder("query.owner.calls")
        .description("Calls to the owners of partitions, by method and outcome")
        .tag("method", method.name().toLowerCase(java.util.Locale.ROOT))
        .tag("outcome", outcome.name())
        .register(meters);
  }
}
