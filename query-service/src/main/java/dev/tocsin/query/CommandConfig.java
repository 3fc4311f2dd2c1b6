package dev.tocsin.query;

import dev.tocsin.runtime.KafkaSettings;
import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Topics;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * What the service is told of commands. Immutable.
 *
 * @param topics where the log is: {@code log.prefix}
 * @param kafka settings of the producer: {@code kafka.*}, with defaults of its own
 * @param commandsMax commands under way at once, and entries that the log has not answered; one
 *     more is UNAVAILABLE
 */
public record CommandConfig(Topics topics, Map<String, String> kafka, int commandsMax) {
  /** Of the entries that the log has not answered. */
  static final int IN_FLIGHT_BYTES_MAX = 16 << 20;

  private static final int BUFFERS_BYTES = 16 << 20;

  /** How long the log may take to answer at most, whatever a call may take. */
  private static final Duration DELIVERY_MAX = Duration.ofSeconds(4);

  public CommandConfig {
    kafka = Map.copyOf(kafka);
  }

  /**
   * The settings {@code query.commands-max}, {@code log.prefix} and {@code kafka.*}; of the last
   * only {@code kafka.bootstrap.servers} has to be given. Faults are left to {@link
   * Settings#check}.
   *
   * @param timeout of a call; the log's answer is awaited for less
   */
  static CommandConfig read(Settings settings, Duration timeout) {
    return new CommandConfig(
        KafkaSettings.topics(settings),
        KafkaSettings.logProducer(
            settings, defaults(), times(timeout), producer -> check(settings, producer)),
        settings.integer("query.commands-max", 1_000, 1, 100_000));
  }

  /** For the producer. */
  Map<String, Object> producerConfig() {
    return KafkaSettings.producerOfBytes(kafka);
  }

  private static void check(Settings settings, ProducerConfig producer) {
    int max = producer.getInt(ProducerConfig.MAX_REQUEST_SIZE_CONFIG);
    if (max < 2 * CommandReader.COMMAND_BYTES_MAX) {
      settings.fault(
          KafkaSettings.PREFIX + ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
          "must be at least %d, for one command; not %d"
              .formatted(2 * CommandReader.COMMAND_BYTES_MAX, max));
    }
  }

  /**
   * What follows from the time that a call has, whatever {@code kafka.*} says: that is written for
   * a process whose other parts send in bulk, and a command goes alone and has somebody waiting.
   */
  private static Map<String, String> times(Duration timeout) {
    long delivery = Math.min(timeout.toMillis() * 4 / 5, DELIVERY_MAX.toMillis());
    return Map.of(
        ProducerConfig.LINGER_MS_CONFIG, "0",
        ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, Long.toString(delivery),
        ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, Long.toString(delivery / 2),
        ProducerConfig.MAX_BLOCK_MS_CONFIG, Long.toString(Math.min(delivery, 1_000)));
  }

  private static Map<String, String> defaults() {
    return Map.of(
        ProducerConfig.CLIENT_ID_CONFIG, "tocsin-query",
        // Room for all that may be in flight, so that sending never waits for room.
        ProducerConfig.BUFFER_MEMORY_CONFIG,
            Integer.toString(2 * IN_FLIGHT_BYTES_MAX + BUFFERS_BYTES),
        ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, "1000");
  }
}
