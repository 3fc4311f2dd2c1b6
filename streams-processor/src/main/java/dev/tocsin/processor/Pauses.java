package dev.tocsin.processor;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The partitions of this instance that are paused now. Thread-safe. */
final class Pauses {
  private static final Logger LOG = LoggerFactory.getLogger(Pauses.class);

  private final Map<Integer, Pause> paused = new ConcurrentSkipListMap<>();

  Pauses(MeterRegistry meters) {
    for (Pause.Reason reason : Pause.Reason.values()) {
      Gauge.builder("tocsin.processor.partitions.paused", this, all -> all.count(reason))
          .tag("reason", reason.name())
          .description("Partitions that stand still before an entry that needs newer knowledge")
          .register(meters);
    }
  }

  void begin(Pause pause) {
    if (!pause.equals(paused.put(pause.partition(), pause))) {
      LOG.warn("{}", pause);
    }
  }

  /** The partition goes on, here or elsewhere. */
  void end(int partition) {
    Pause ended = paused.remove(partition);
    if (ended != null) {
      LOG.info("partition {} is no longer paused at offset {}", partition, ended.offset());
    }
  }

  boolean isPaused(int partition) {
    return paused.containsKey(partition);
  }

  /** The first of them, and how many there are; empty if there is none. */
  Optional<String> problem() {
    Collection<Pause> all = paused.values();
    return all.stream()
        .findFirst()
        .map(
            first ->
                all.size() < 2 ? first.toString() : first + " (and " + (all.size() - 1) + " more)");
  }

  private long count(Pause.Reason reason) {
    return paused.values().stream().filter(pause -> pause.reason() == reason).count();
  }
}
