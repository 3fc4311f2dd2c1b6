package dev.tocsin.query;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

/** What the live streams count. Thread-safe. */
final class StreamMetrics {
  private final Counter sent;
  private final Counter fallenBehind;

  StreamMetrics(MeterRegistry meters) {
    sent =
        Counter.builder("query.stream.events")
            .description("Events sent on streams, snapshots and heartbeats included")
            .register(meters);
    fallenBehind =
        Counter.builder("query.stream.fallen.behind")
            .description("How often a stream wanted events that are not kept in memory any more")
            .register(meters);
  }

  void sent() {
    sent.increment();
  }

  void fellBehind() {
    fallenBehind.increment();
  }

  /** Shows how it stands with these. */
  static void watch(
      MeterRegistry meters, IncidentStreams streams, EventTail tail, CatchUpReaders readers) {
    Gauge.builder("query.streams", streams, IncidentStreams::open)
        .description("Streams that are open")
        .register(meters);
    Gauge.builder("query.ring.bytes", tail, EventTail::weight)
        .description("What the newest events take in memory")
        .baseUnit("bytes")
        .register(meters);
    Gauge.builder("query.events.followed", tail, each -> each.following() ? 1 : 0)
        .description(
            "Whether the events topic is followed; streams are UNAVAILABLE while it is not")
        .register(meters);
    Gauge.builder("query.catchup.readers", readers, CatchUpReaders::active)
        .description("Catch-up readers that read now")
        .register(meters);
  }
}
