package dev.tocsin.query;

import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

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

  private static final String KAFKA = "kafka.";
  private static final int BUFFERS_BYTES = 16 << 20;

  /** How long the log may take to answer at most, whatever a call may take. */
  private static final Duration DELIVERY_MAX = Duration.ofSeconds(4);

  /** What the guarantees rest on; nothing else is taken for these. */
  private static final Map<String, String> FIXED =
      Map.of(
          ProducerConfig.ACKS_CONFIG, "all",
          ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");

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
        topics(settings),
        kafka(settings, timeout),
        settings.integer("query.commands-max", 1_000, 1, 100_000));
  }

  /** For the producer. */
  Map<String, Object> producerConfig() {
    return withTypes(kafka);
  }

  private static Topics topics(Settings settings) {
    String prefix = settings.text("log.prefix", Topics.DEFAULT.prefix());
    try {
      return new Topics(prefix, Topics.DEFAULT.generation());
    } catch (IllegalArgumentException e) {
      settings.fault("log.prefix", e.getMessage());
      return Topics.DEFAULT;
    }
  }

  private static Map<String, String> kafka(Settings settings, Duration timeout) {
    Map<String, String> kafka = new TreeMap<>(defaults());
    kafka.putAll(settings.prefixed(KAFKA));
    kafka.putAll(times(timeout));
    kafka.put(
        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
        settings.required(KAFKA + ProducerConfig.BOOTSTRAP_SERVERS_CONFIG));
    FIXED.forEach(
        (name, value) -> {
          String given = kafka.put(name, value);
          if (given != null && !given.equals(value)) {
            settings.fault(KAFKA + name, "must be " + value + " or left out");
          }
        });
    if (kafka.containsKey(ProducerConfig.TRANSACTIONAL_ID_CONFIG)) {
      settings.fault(
          KAFKA + ProducerConfig.TRANSACTIONAL_ID_CONFIG,
          "must be left out: nothing transactional is written to the log");
    }
    if (!kafka.get(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG).isEmpty()) { // else told already
      check(settings, kafka);
    }
    return kafka;
  }

  /** Whether Kafka's producer takes these, told here rather than when it is made. */
  private static void check(Settings settings, Map<String, String> kafka) {
    try {
      ProducerConfig producer = new ProducerConfig(withTypes(kafka));
      int max = producer.getInt(ProducerConfig.MAX_REQUEST_SIZE_CONFIG);
      if (max < 2 * CommandReader.COMMAND_BYTES_MAX) {
        settings.fault(
            KAFKA + ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
            "must be at least %d, for one command; not %d"
                .formatted(2 * CommandReader.COMMAND_BYTES_MAX, max));
      }
    } catch (ConfigException e) {
      settings.fault(KAFKA + "*", e.getMessage());
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

  private static Map<String, Object> withTypes(Map<String, String> kafka) {
    Map<String, Object> all = new HashMap<>(kafka);
    all.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    all.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    return all;
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
