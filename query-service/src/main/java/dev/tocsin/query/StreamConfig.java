package dev.tocsin.query;

import dev.tocsin.runtime.KafkaSettings;
import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerConfig;

/**
 * What the live streams are told. Immutable.
 *
 * @param topics where the events are: {@code log.prefix}, {@code processor.generation}
 * @param kafka settings of Kafka's clients: {@code kafka.*}
 * @param tokenSecret what signs resume tokens; equal on all instances that are to take each other's
 * @param tokenKeyFile holds what signs them instead; made if it is not there
 * @param streamsMax streams at once; one more is UNAVAILABLE
 * @param ringBytesMax of the newest events, kept in memory for all streams
 * @param catchupReaders read older events for streams that have fallen behind what is kept
 * @param catchupWait how long such a stream waits for its turn; then it ends with UNAVAILABLE
 */
public record StreamConfig(
    Topics topics,
    Map<String, String> kafka,
    Optional<String> tokenSecret,
    Optional<Path> tokenKeyFile,
    int streamsMax,
    long ringBytesMax,
    int catchupReaders,
    Duration catchupWait) {
  /** The setting of {@link #tokenKeyFile}. */
  public static final String TOKEN_KEY_FILE = "query.token-key-file";

  private static final int SECRET_CHARACTERS_MIN = 16;

  /** What a catch-up reader fetches at a time, compressed, so far as one event is not larger. */
  static final int CHUNK_BYTES = 128 << 10;

  /** What it gives at a time, as {@link EventItem#weight}, so far as one event is not heavier. */
  static final int CHUNK_WEIGHT_MAX = 512 << 10;

  /** What the tail takes of a partition at a time. */
  static final int TAIL_BYTES = 1 << 20;

  public StreamConfig {
    kafka = Map.copyOf(kafka);
  }

  /**
   * Reads {@code query.*}, {@code log.prefix}, {@code processor.generation} and {@code kafka.*}.
   * Faults are left with {@code settings}.
   */
  public static StreamConfig read(Settings settings) {
    Map<String, String> kafka = KafkaSettings.clients(settings);
    Optional<String> secret = given(settings, "query.token-secret");
    if (secret.isPresent() && secret.get().length() < SECRET_CHARACTERS_MIN) {
      settings.fault(
          "query.token-secret", "must have at least " + SECRET_CHARACTERS_MIN + " characters");
    }
    return new StreamConfig(
        KafkaSettings.topicsOfGeneration(settings),
        kafka,
        secret,
        given(settings, TOKEN_KEY_FILE).map(Path::of),
        settings.integer("query.streams-max", 1_000, 1, 100_000),
        settings.integer("query.ring-bytes-max", 64 << 20, 1 << 20, Integer.MAX_VALUE),
        settings.integer("query.catchup-readers", 4, 1, 64),
        settings.duration(
            "query.catchup-wait",
            Duration.ofSeconds(10),
            Duration.ofMillis(100),
            Duration.ofMinutes(5)));
  }

  /** For the consumer that follows the events; it belongs to no group. */
  Map<String, Object> tailConsumerConfig(String clientId) {
    return consumerConfig(clientId, TAIL_BYTES);
  }

  /** For one that reads older events here and there; it belongs to no group. */
  Map<String, Object> catchUpConsumerConfig(String clientId) {
    Map<String, Object> all = consumerConfig(clientId, CHUNK_BYTES);
    // What it asks for is there. But a consumer fetches ahead, and where that meets the topic's end
    // the broker keeps the fetch for this long, and any other one waits behind it.
    all.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, "5");
    return all;
  }

  private Map<String, Object> consumerConfig(String clientId, int partitionFetchBytes) {
    Map<String, Object> all = KafkaSettings.consumerOfBytes(kafka, clientId);
    all.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, Integer.toString(partitionFetchBytes));
    all.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, "5000");
    all.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, "5000");
    all.put(ConsumerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, "1000");
    return all;
  }

  /** Without what is secret. */
  @Override
  public String toString() {
    return "StreamConfig[%s, streamsMax=%d, ringBytesMax=%d, catchupReaders=%d, catchupWait=%s]"
        .formatted(topics, streamsMax, ringBytesMax, catchupReaders, catchupWait);
  }

  private static Optional<String> given(Settings settings, String name) {
    return Optional.of(settings.text(name, "")).filter(text -> !text.isEmpty());
  }
}
