package dev.tocsin.query;

import dev.tocsin.runtime.Settings;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;

/**
 * What the query service can be told.
 *
 * @param processors addresses of processors' state servers, at least one: any of them tells who
 *     owns what
 * @param timeout how long a call may take where its caller gives no deadline, and a read at most
 *     where it waits for no log position
 * @param getsMax GetIncident calls under way at once; one more is UNAVAILABLE
 * @param listsMax ListIncidents calls under way at once; one more is UNAVAILABLE
 * @param commands what it is told of commands
 */
public record QueryConfig(
    List<String> processors, Duration timeout, int getsMax, int listsMax, CommandConfig commands) {
  public QueryConfig {
    processors = List.copyOf(processors);
  }

  /**
   * Reads {@code query.*}, {@code log.prefix} and {@code kafka.*}. Faults are left with {@code
   * settings}.
   */
  public static QueryConfig read(Settings settings) {
    List<String> processors = settings.list("query.processors", List.of());
    if (processors.isEmpty()) {
      settings.fault("query.processors", "is missing");
    }
    if (new HashSet<>(processors).size() < processors.size()) {
      settings.fault("query.processors", "names a processor twice");
    }
    Duration timeout =
        settings.duration(
            "query.timeout", Duration.ofSeconds(5), Duration.ofMillis(50), Duration.ofMinutes(5));
    return new QueryConfig(
        processors,
        timeout,
        settings.integer("query.gets-max", 20_000, 1, 1_000_000),
        settings.integer("query.lists-max", 64, 1, 10_000),
        CommandConfig.read(settings, timeout));
  }
}
