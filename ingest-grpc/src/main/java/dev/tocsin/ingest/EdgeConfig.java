package dev.tocsin.ingest;

import dev.tocsin.runtime.KafkaSettings;
import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Topics;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * What the edge is told. Immutable.
 *
 * @param topics where the log is: {@code log.prefix}
 * @param kafka settings of Kafka's clients: {@code kafka.*}, with the edge's own defaults
 * @param messageBytesMax of one gRPC message, as the server that serves the edge has it
 * @param inFlightAlertsMax that the log has not answered, of the whole process; beyond it alerts
 *     are UNAVAILABLE
 * @param inFlightBytesMax of those
 * @param streamsMax open at once; one more is refused
 * @param principalStreamsMax of those, of one caller who has said who it is
 * @param streamAlertsMax un-answered ones of one stream; at it the stream is not read any further
 * @param streamBytesMax of those
 * @param slowStreamsMax whose callers do not take their answers; one more, and the one that has
 *     waited longest is ended
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
    int streamsMax,
    int principalStreamsMax,
    int streamAlertsMax,
    int streamBytesMax,
    int slowStreamsMax,
    int entryAlertsMax,
    int entryBytesMax,
    Duration closeTimeout,
    int ackThreads) {
  private static final int REQUEST_BYTES_MAX = 5 << 20;
  private static final int BUFFERS_BYTES = 32 << 20;

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
    int streamsMax = settings.integer("edge.streams-max", 10_000, 1, 1_000_000);
    return new EdgeConfig(
        KafkaSettings.topics(settings),
        kafka(settings, messageBytesMax, inFlightBytesMax),
        messageBytesMax,
        settings.integer("edge.in-flight-alerts-max", 100_000, 1, 10_000_000),
        inFlightBytesMax,
        streamsMax,
        settings.integer("edge.principal-streams-max", Math.max(1, streamsMax / 4), 1, 1_000_000),
        settings.integer("edge.stream-alerts-max", 1024, 1, 100_000),
        settings.integer("edge.stream-bytes-max", 4 << 20, 1 << 10, 1 << 30),
        settings.integer("edge.slow-streams-max", 256, 1, 100_000),
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

  /**
   * By when the producer has answered whatever it was given, also where a machine is slow: Kafka
   * has it done soon after its delivery time-out.
   */
  Duration answerMax() {
    return millis(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG)
        .plus(millis(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG).multipliedBy(2));
  }

  private Duration millis(String name) {
    return Duration.ofMillis(Long.parseLong(kafka.get(name)));
  }

  String bootstrapServers() {
    return kafka.get(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG);
  }

  /** For the producer. */
  Map<String, Object> producerConfig() {
    return KafkaSettings.producerOfBytes(kafka);
  }

  /** For the admin client: what is the producer's alone is left out. */
  Map<String, Object> adminConfig() {
    Map<String, Object> admin =
        KafkaSettings.without(kafka, ProducerConfig.configNames(), AdminClientConfig.configNames());
    admin.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, "2000");
    admin.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, "3000");
    // A client that meets a broker which takes connections and says nothing asks no other one, for
    // as long as that lasts: 4.3.1 forgets when it was to give up with each call that times out.
    admin.put(AdminClientConfig.CONNECTIONS_MAX_IDLE_MS_CONFIG, "5000");
    return admin;
  }

  /** For the consumer that follows the rules. */
  Map<String, Object> rulesConsumerConfig() {
    Map<String, Object> all = KafkaSettings.consumerOfBytes(kafka, "tocsin-edge-rules");
    all.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, "2000");
    all.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, "3000");
    return all;
  }

  private static Map<String, String> kafka(
      Settings settings, int messageBytesMax, int inFlightBytesMax) {
    return KafkaSettings.logProducer(
        settings,
        defaults(inFlightBytesMax),
        Map.of(),
        producer -> check(settings, producer, messageBytesMax));
  }

  private static void check(Settings settings, ProducerConfig producer, int messageBytesMax) {
    long least =
        producer.getLong(ProducerConfig.LINGER_MS_CONFIG)
            + producer.getInt(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG);
    if (producer.getInt(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG) < least) {
      settings.fault(
          KafkaSettings.PREFIX + ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
          "must be at least linger.ms and request.timeout.ms together, %d".formatted(least));
    }
    int max = producer.getInt(ProducerConfig.MAX_REQUEST_SIZE_CONFIG);
    if (max <= messageBytesMax) {
      settings.fault(
          KafkaSettings.PREFIX + ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
          "must be more than edge.message-bytes-max, %d; not %d".formatted(messageBytesMax, max));
    }
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
