package dev.tocsin.query;

import io.grpc.Status;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What the service counts: its calls to owners and the commands, by kind and outcome, how long the
 * latter took, and how many rounds a list took. Thread-safe; every series exists from the start.
 */
final class QueryMetrics {
  /** The methods of the owners that are asked. */
  enum Asked {
    READ_INCIDENT,
    SCAN_INCIDENTS,
    READ_OUTCOME,
    READ_SIGHTINGS,
    READ_PROGRESS,
    READ_DIGEST,
    READ_SILENCES,
    PREVIEW_SILENCE,
    SNAPSHOT_INCIDENTS
  }

  private final Map<Asked, Map<Status.Code, Counter>> calls = new EnumMap<>(Asked.class);
  private final DistributionSummary rounds;
  private final Map<CommandKind, Map<CommandEnd.Outcome, Counter>> commands =
      new EnumMap<>(CommandKind.class);
  private final Map<CommandKind, Timer> commandTimes = new EnumMap<>(CommandKind.class);
  private final AtomicInteger logUp = new AtomicInteger();
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
    for (CommandKind kind : CommandKind.values()) {
      Map<CommandEnd.Outcome, Counter> byOutcome = new EnumMap<>(CommandEnd.Outcome.class);
      for (CommandEnd.Outcome outcome : CommandEnd.Outcome.values()) {
        byOutcome.put(outcome, counter(meters, kind, outcome));
      }
      commands.put(kind, byOutcome);
      commandTimes.put(kind, timer(meters, kind));
    }
    Gauge.builder("query.log.up", logUp, AtomicInteger::get)
        .description("Whether the log took what was last sent to it, 1 or 0")
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

  /** A command ended, so long after it came. */
  void commanded(CommandKind kind, CommandEnd.Outcome outcome, Duration took) {
    commands.get(kind).get(outcome).increment();
    commandTimes.get(kind).record(took);
  }

  /** Whether the log can be appended to, as far as the newest attempt tells. */
  void logUp(boolean up) {
    logUp.set(up ? 1 : 0);
  }

  private static Counter counter(
      MeterRegistry meters, CommandKind kind, CommandEnd.Outcome outcome) {
    return Counter.builder("query.commands")
        .description("Commands, by kind and outcome")
        .tag("kind", kind.text())
        .tag("outcome", outcome.name())
        .register(meters);
  }

  private static Timer timer(MeterRegistry meters, CommandKind kind) {
    return Timer.builder("query.command.time")
        .description("From a command's coming to its answer")
        .tag("kind", kind.text())
        .serviceLevelObjectives(
            Duration.ofMillis(5),
            Duration.ofMillis(10),
            Duration.ofMillis(25),
            Duration.ofMillis(50),
            Duration.ofMillis(100),
            Duration.ofMillis(250),
            Duration.ofSeconds(1),
            Duration.ofSeconds(5))
        .register(meters);
  }

  private static Counter counter(MeterRegistry meters, Asked method, Status.Code outcome) {
    return Counter.builder("query.owner.calls")
        .description("Calls to the owners of partitions, by method and outcome")
        .tag("method", method.name().toLowerCase(java.util.Locale.ROOT))
        .tag("outcome", outcome.name())
        .register(meters);
  }
}
