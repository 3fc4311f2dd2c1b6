package dev.tocsin.ops;

import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Topics;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * What operators' jobs are told. Immutable.
 *
 * @param topics where the log is: {@code log.prefix}
 * @param kafka settings of Kafka's clients: {@code kafka.*}, of which {@code
 *     kafka.bootstrap.servers} has to be given
 */
public record OpsConfig(Topics topics, Map<String, String> kafka) {
  private static final String KAFKA = "kafka.";

  /** A writer that dies between two records holds readers of the rules up for no longer. */
  private static final String TRANSACTION_MAX_MS = "10000";

  private static final String ANSWER_MAX_MS = "10000";

  public OpsConfig {
    kafka = Map.copyOf(kafka);
  }

  /** Reads the settings. Faults are left to {@link Settings#check}. */
  public static OpsConfig read(Settings settings) {
    Map<String, String> kafka = new HashMap<>(settings.prefixed(KAFKA));
    kafka.put(
        CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG,
        settings.required(KAFKA + CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG));
    String prefix = settings.text("log.prefix", Topics.DEFAULT.prefix());
    Topics topics = Topics.DEFAULT;
    try {
      topics = new Topics(prefix, Topics.DEFAULT.generation());
    } catch (IllegalArgumentException e) {
      settings.fault("log.prefix", e.getMessage());
    }
    return new OpsConfig(topics, kafka);
  }

  /** For reading what is committed, of partitions that are assigned by hand. */
  Map<String, Object> consumer() {
    Map<String, Object> all = without(ProducerConfig.configNames(), ConsumerConfig.configNames());
    all.remove(ConsumerConfig.GROUP_ID_CONFIG);
    all.put(ConsumerConfig.CLIENT_ID_CONFIG, "tocsin-ops");
    all.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    all.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    all.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    all.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, ANSWER_MAX_MS);
    all.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, "5000");
    all.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    all.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    return all;
  }

  /** For the log: acknowledged by every in-sync replica, idempotent, not transactional. */
  Map<String, Object> producer() {
    Map<String, Object> all = without(ConsumerConfig.configNames(), ProducerConfig.configNames());
    all.remove(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
    all.put(ProducerConfig.CLIENT_ID_CONFIG, "tocsin-ops");
    all.put(ProducerConfig.ACKS_CONFIG, "all");
    all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
    all.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Integer.toString(5 << 20));
    all.put(ProducerConfig.LINGER_MS_CONFIG, "0");
    all.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, ANSWER_MAX_MS);
    all.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, "5000");
    all.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, ANSWER_MAX_MS);
    all.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    all.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    return all;
  }

  /**
   * For the rules topic: of all that write there, the one that began last is the only one that can.
   */
  Map<String, Object> rulesProducer() {
    Map<String, Object> all = producer();
    all.put(ProducerConfig.CLIENT_ID_CONFIG, "tocsin-ops-rules");
    all.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, topics.prefix() + "-rules-writer");
    all.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, TRANSACTION_MAX_MS);
    return all;
  }

  private Map<String, Object> without(Set<String> others, Set<String> own) {
    Map<String, Object> all = new HashMap<>(kafka);
    all.keySet().removeIf(name -> others.contains(name) && !own.contains(name));
    return all;
  }
}
