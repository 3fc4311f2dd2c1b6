package dev.tocsin.processor;

import dev.tocsin.runtime.KafkaSettings;
import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a processor runs. None of it is an input of the fold: it may differ between instances and
 * between restarts.
 *
 * @param topics names on the cluster
 * @param kafka handed on to every Kafka client; {@code bootstrap.servers} at least
 * @param stateFolder for the stores
 * @param address host:port under which query-services reach this instance's state server
 * @param instanceId stable over restarts: the group then knows an instance that comes back, and
 *     does not wait for the one that died; empty for none
 * @param threads that fold; more than partitions are idle
 * @param standbys other instances that keep a copy of each partition's store, so far as there are
 *     so many
 * @param sessionTimeout how long an instance may be silent before its partitions go to others;
 *     transactions that it left open end in two thirds of it
 * @param commitInterval how often a transaction is committed; replies do not wait for it
 * @param dirtyMax changed records kept in memory, by partition, before a commit is asked for ahead
 *     of time
 * @param cacheBytesMax memory for records that are as they are stored, all partitions together
 * @param rocksBytesMax memory of all RocksDB instances together: block cache and write buffers
 * @param waitersMax reads that wait for a position, by partition
 * @param snapshotsMax snapshots that are being sent at once, of all partitions
 * @param skips entries that are dead-lettered where they would pause their partition; any other
 *     entry is applied, also if it is named
 */
public record ProcessorConfig(
    Topics topics,
    Map<String, String> kafka,
    Path stateFolder,
    String address,
    Optional<String> instanceId,
    int threads,
    int standbys,
    Duration sessionTimeout,
    Duration commitInterval,
    int dirtyMax,
    long cacheBytesMax,
    long rocksBytesMax,
    int waitersMax,
    int snapshotsMax,
    Set<Skip> skips) {
  /** Of the heap, unless it is said how much. */
  private static final int CACHE_PART_OF_HEAP = 5;

  private static final String SKIP = "processor.skip";
  private static final Pattern POSITION = Pattern.compile("(\\d{1,9}):(\\d{1,18})");

  /** An entry of the log. */
  public record Skip(int partition, long offset) {}

  /** The setting of {@link #standbys}. */
  public static final String STANDBYS = "processor.standbys";

  /** The setting of {@link #sessionTimeout}. */
  public static final String SESSION_TIMEOUT = "processor.session-timeout";

  public ProcessorConfig {
    skips = Set.copyOf(skips);
  }

  /** Reads {@code processor.*}, {@code log.*} and {@code kafka.*}. */
  public static ProcessorConfig read(Settings settings) {
    return new ProcessorConfig(
        KafkaSettings.topicsOfGeneration(settings),
        KafkaSettings.clients(settings),
        Path.of(settings.text("processor.state-folder", "state")),
        settings.text("processor.address", "localhost:9001"),
        Optional.of(settings.text("processor.instance-id", "")).filter(id -> !id.isEmpty()),
        settings.integer("processor.threads", 2, 1, 64),
        settings.integer(STANDBYS, 1, 0, 16),
        settings.duration(
            SESSION_TIMEOUT, Duration.ofSeconds(15), Duration.ofSeconds(6), Duration.ofMinutes(5)),
        settings.duration(
            "processor.commit-interval",
            Duration.ofMillis(150),
            Duration.ofMillis(50),
            Duration.ofSeconds(10)),
        settings.integer("processor.dirty-max", 50_000, 100, 10_000_000),
        (long) settings.integer("processor.cache-mib-max", cacheMib(), 4, 1 << 20) << 20,
        (long) settings.integer("processor.rocksdb-mib-max", 128, 16, 1 << 20) << 20,
        settings.integer("processor.waiters-max", 10_000, 1, 1_000_000),
        settings.integer("processor.snapshots-max", 16, 1, 1_000),
        skips(settings));
  }

  private static int cacheMib() {
    long mib = Runtime.getRuntime().maxMemory() >> 20;
    return (int) Math.max(4, Math.min(mib / CACHE_PART_OF_HEAP, 1 << 20));
  }

  private static Set<Skip> skips(Settings settings) {
    Set<Skip> skips = new HashSet<>();
    for (String text : settings.list(SKIP, List.of())) {
      Matcher position = POSITION.matcher(text);
      if (position.matches()) {
        skips.add(new Skip(Integer.parseInt(position.group(1)), Long.parseLong(position.group(2))));
      } else {
        settings.fault(SKIP, "must be partition:offset, separated by commas, not '" + text + "'");
      }
    }
    return skips;
  }
}
