package dev.tocsin.ops;

import dev.tocsin.runtime.KafkaSettings;
import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Topics;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * What operators' jobs are told. Immutable.
 *
 * @param topics where the log is: {@code log.prefix}
 * @param kafka settings of Kafka's clients: {@code kafka.*}, of which {@code
 *     kafka.bootstrap.servers} has to be given
 */
public record OpsConfig(Topics topics, Map<String, String> kafka) {
  /** A writer that dies between two records holds readers of the rules up for no longer. */
  private static final String TRANSACTION_MAX_MS = "10000";

  private static final String ANSWER_MAX_MS = "10000";

  public OpsConfig {
    kafka = Map.copyOf(kafka);
  }

  /** Reads the settings. Faults are left to {@link Settings#check}. */
  public static OpsConfig read(Settings settings) {
    return new OpsConfig(KafkaSettings.topics(settings), KafkaSettings.clients(settings));
  }

  /** For reading what is committed, of partitions that are assigned by hand. */
  Map<String, Object> consumer() {
    Map<String, Object> all = KafkaSettings.consumerOfBytes(kafka, "tocsin-ops");
    all.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, ANSWER_MAX_MS);
    all.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, "5000");
    return all;
  }

  /** For the log: acknowledged by every in-sync replica, idempotent, not transactional. */
  Map<String, Object> producer() {
    Map<String, Object> all = KafkaSettings.producerOfBytes(kafka);
    all.keySet().removeIf(OpsConfig::isConsumersAlone);
    all.remove(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
    all.put(ProducerConfig.CLIENT_ID_CONFIG, "tocsin-ops");
    all.put(ProducerConfig.ACKS_CONFIG, "all");
    all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
    all.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Integer.toString(5 << 20));
    all.put(ProducerConfig.LINGER_MS_CONFIG, "0");
    all.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, ANSWER_MAX_MS);
    all.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, "5000");
    all.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, ANSWER_MAX_MS);
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

  private static boolean isConsumersAlone(String name) {
    return ConsumerConfig.configNames().contains(name)
        && !ProducerConfig.configNames().contains(name);
  }
}
