package dev.tocsin.ingest;

import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * What the edge is told. Immutable.
 *
 * @param topics where the log is: {@code log.prefix}
 * @param kafka settings of Kafka's clients: {@code kafka.*}, with the edge's own defaults
 * @param messageBytesMax of one gRPC message, as the server that serves the edge has it
 * @param inFlightAlertsMax that the log has not answered, of the whole process; beyond it alerts
 *     are UNAVAILABLE
 * @param inFlightBytesMax of those
 * @param streamAlertsMax un-answered ones of one stream; at it the stream is not read any further
 * @param streamBytesMax of those
 * @param entryAlertsMax in one entry of the log
 * @param entryBytesMax of the alerts in one entry of the log
 * @param closeTimeout for the log to answer what was taken, when the edge closes
 * @param ackThreads that send the acks
 */
public record EdgeConfig(
    Topics topics,
    Map<String, String> kafka,
    int messageBytesMax,
    int inFlightAlertsMax,
    int inFlightBytesMax,
    int streamAlertsMax,
    int streamBytesMax,
    int entryAlertsMax,
    int entryBytesMax,
    Duration closeTimeout,
    int ackThreads) {
  private static final String KAFKA = "kafka.";
  private static final int REQUEST_BYTES_MAX = 5 << 20;
  private static final int BUFFERS_BYTES = 32 << 20;

  /** What the guarantees rest on; nothing else is taken for these. */
  private static final Map<String, String> FIXED =
      Map.of(
          ProducerConfig.ACKS_CONFIG, "all",
          ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");

  public EdgeConfig {
    kafka = Map.copyOf(kafka);
  }

  /**
   * The settings {@code edge.*}, {@code log.prefix} and {@code kafka.*}; of the last only {@code
   * kafka.bootstrap.servers} has to be given. Faults are left to {@link Settings#check}.
   */
  public static EdgeConfig read(Settings settings) {
    int messageBytesMax = settings.integer("edge.message-bytes-max", 4 << 20, 1 << 10, 64 << 20);
    int inFlightBytesMax = settings.integer("edge.in-flight-bytes-max", 64 << 20, 1 << 20, 1 << 30);
    return new EdgeConfig(
        topics(settings),
        kafka(settings, messageBytesMax, inFlightBytesMax),
        messageBytesMax,
        settings.integer("edge.in-flight-alerts-max", 100_000, 1, 10_000_000),
        inFlightBytesMax,
        settings.integer("edge.stream-alerts-max", 1024, 1, 100_000),
        settings.integer("edge.stream-bytes-max", 4 << 20, 1 << 10, 1 << 30),
        settings.integer("edge.entry-alerts-max", 500, 1, 10_000),
        settings.integer(
            "edge.entry-bytes-max", 512 << 10, AlertValidator.ALERT_BYTES_MAX, 4 << 20),
        settings.duration(
            "edge.close-timeout",
            Duration.ofSeconds(10),
            Duration.ofMillis(100),
            Duration.ofMinutes(5)),
        settings.integer("edge.ack-threads", ackThreadsDefault(), 1, 64));
  }

  /** One entry's bytes at most, as the producer takes them. */
  int requestBytesMax() {
    return Integer.parseInt(kafka.get(ProducerConfig.MAX_REQUEST_SIZE_CONFIG));
  }

  String bootstrapServers() {
    return kafka.get(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG);
  }

  /** For the producer. */
  Map<String, Object> producerConfig() {
    return withTypes(kafka);
  }

  /** For the admin client: what is the producer's alone is left out. */
  Map<String, Object> adminConfig() {
    Set<String> known = AdminClientConfig.configNames();
    Map<String, Object> admin = new HashMap<>(kafka);
    admin.keySet().removeIf(n -> ProducerConfig.configNames().contains(n) && !known.contains(n));
    admin.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, "2000");
    admin.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, "3000");
    return admin;
  }

  /**
   * For the consumer that follows the rules: what is the producer's alone is left out. It reads
   * only what is committed, a partition that is assigned by hand.
   */
  Map<String, Object> rulesConsumerConfig() {
    Set<String> known = ConsumerConfig.configNames();
    Map<String, Object> all = new HashMap<>(kafka);
    all.keySet().removeIf(n -> ProducerConfig.configNames().contains(n) && !known.contains(n));
    all.remove(ConsumerConfig.GROUP_ID_CONFIG);
    all.put(ConsumerConfig.CLIENT_ID_CONFIG, "tocsin-edge-rules");
    all.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    all.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    all.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    all.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, "2000");
    all.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, "3000");
    all.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    all.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    return all;
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

  private static Map<String, String> kafka(
      Settings settings, int messageBytesMax, int inFlightBytesMax) {
    Map<String, String> kafka = new TreeMap<>(defaults(inFlightBytesMax));
    kafka.putAll(settings.prefixed(KAFKA));
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
      check(settings, kafka, messageBytesMax);
    }
    return kafka;
  }

  /** Whether Kafka's producer takes these, told here rather than when it is made. */
  private static void check(Settings settings, Map<String, String> kafka, int messageBytesMax) {
    try {
      ProducerConfig producer = new ProducerConfig(withTypes(kafka));
      long least =
          producer.getLong(ProducerConfig.LINGER_MS_CONFIG)
              + producer.getInt(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG);
      if (producer.getInt(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG) < least) {
        settings.fault(
            KAFKA + ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
            "must be at least linger.ms and request.timeout.ms together, %d".formatted(least));
      }
      int max = producer.getInt(ProducerConfig.MAX_REQUEST_SIZE_CONFIG);
      if (max <= messageBytesMax) {
        settings.fault(
            KAFKA + ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
            "must be more than edge.message-bytes-max, %d; not %d".formatted(messageBytesMax, max));
      }
    } catch (ConfigException e) {
      settings.fault(KAFKA + "*", e.getMessage());
    }
  }

  private static Map<String, Object> withTypes(Map<String, String> kafka) {
    Map<String, Object> all = new HashMap<>(kafka);
    all.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    all.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    return all;
  }

  private static Map<String, String> defaults(int inFlightBytesMax) {
    return Map.of(
        ProducerConfig.CLIENT_ID_CONFIG, "tocsin-edge",
        ProducerConfig.LINGER_MS_CONFIG, "0", // the appender collects by itself
        ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Integer.toString(REQUEST_BYTES_MAX),
        // Room for all that may be in flight, so that sending never waits for room.
        ProducerConfig.BUFFER_MEMORY_CONFIG, Long.toString(2L * inFlightBytesMax + BUFFERS_BYTES),
        ProducerConfig.MAX_BLOCK_MS_CONFIG, "1000",
        ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, "10000",
        ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, "4000",
        ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, "1000");
  }

  private static int ackThreadsDefault() {
    return Math.max(1, Runtime.getRuntime().availableProcessors() / 4);
  }
}
