package dev.tocsin.ingest;

import dev.tocsin.proto.alerts.AlertAck;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.apache.kafka.clients.producer.Producer;

/**
 * What the edge counts. Every alert is counted once, by its outcome, where that is decided; a
 * refused one also by its reason. The series are bounded: each label is an enum.
 *
 * <p>Thread-safe.
 */
final class EdgeMeters {
  private final Map<AlertAck.Status, Counter> outcomes = new EnumMap<>(AlertAck.Status.class);
  private final Map<Refusal, Counter> refusals = new EnumMap<>(Refusal.class);
  private final Timer acks;
  private final MeterRegistry meters;
  private final DistributionSummary entryAlerts;
  private final Counter producers;
  private final Counter streamsCut;

  EdgeMeters(MeterRegistry meters, InFlight inFlight) {
    this.meters = meters;
    for (AlertAck.Status status : AlertAck.Status.values()) {
      if (status.name().equals("UNRECOGNIZED") || status == AlertAck.Status.STATUS_UNSPECIFIED) {
        continue;
      }
      outcomes.put(
          status,
          Counter.builder("tocsin.edge.alerts")
              .description("Alerts by outcome")
              .tag("outcome", status.name())
              .register(meters));
    }
    for (Refusal refusal : Refusal.values()) {
      refusals.put(
          refusal,
          Counter.builder("tocsin.edge.refusals")
              .description("Alerts that were not acknowledged, by reason")
              .tag("reason", refusal.name())
              .register(meters));
    }
    acks =
        Timer.builder("tocsin.edge.ack")
            .description("From an alert being taken to its ack being ready, of those on the log")
            .serviceLevelObjectives(
                Duration.ofMillis(2),
                Duration.ofMillis(5),
                Duration.ofMillis(10),
                Duration.ofMillis(25),
                Duration.ofMillis(50),
                Duration.ofMillis(100),
                Duration.ofMillis(250),
                Duration.ofSeconds(1),
                Duration.ofSeconds(10))
            .register(meters);
    entryAlerts =
        DistributionSummary.builder("tocsin.edge.entry.alerts")
            .description("Alerts in an entry of the log")
            .register(meters);
    producers =
        Counter.builder("tocsin.edge.producers")
            .description("Producers made for the log: one, and one for each that broke")
            .register(meters);
    streamsCut =
        Counter.builder("tocsin.edge.streams.cut")
            .description("Streams ended because too many callers did not take their answers")
            .register(meters);
    gauge(
        meters,
        "tocsin.edge.in.flight.alerts",
        "Alerts not yet answered by the log",
        inFlight,
        InFlight::alerts);
    gauge(meters, "tocsin.edge.in.flight.bytes", "Their bytes", inFlight, InFlight::bytes);
  }

  /** Shows how many streams wait for their callers. */
  void slowStreams(SlowStreams slow) {
    gauge(
        meters,
        "tocsin.edge.streams.slow",
        "Streams whose callers do not take their answers now",
        slow,
        SlowStreams::count);
  }

  /** One of them was ended, because there were too many. */
  void streamCut() {
    streamsCut.increment();
  }

  /** An entry is on the log. */
  void appended(int alerts) {
    outcomes.get(AlertAck.Status.ACCEPTED).increment(alerts);
    entryAlerts.record(alerts);
  }

  /** One of its alerts has its ack. */
  void acknowledged(long tookNanos) {
    acks.record(tookNanos, TimeUnit.NANOSECONDS);
  }

  /**
   * Counts a producer that was made, and shows what it counts itself, until the result is closed.
   */
  AutoCloseable producer(Producer<?, ?> producer) {
    producers.increment();
    KafkaClientMetrics shown = new KafkaClientMetrics(producer);
    shown.bindTo(meters);
    return shown;
  }

  /** Alerts were refused. */
  void refused(Refusal why, int alerts) {
    outcomes.get(why.status()).increment(alerts);
    refusals.get(why).increment(alerts);
  }

  private static <T> void gauge(
      MeterRegistry meters, String name, String description, T counted, ToDoubleFunction<T> value) {
    Gauge.builder(name, counted, value).description(description).register(meters);
  }
}
