package dev.tocsin.runtime;

import dev.tocsin.schemas.Topics;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * What all parts read alike of {@code log.prefix}, {@code processor.generation} and {@code
 * kafka.*}, and what their clients have in common. Faults are left to {@link Settings#check}.
 */
public final class KafkaSettings {
  /** Before the name of each of Kafka's own settings. */
  public static final String PREFIX = "kafka.";

  /** What the guarantees rest on; nothing else is taken for these. */
  private static final Map<String, String> FIXED =
      Map.of(
          ProducerConfig.ACKS_CONFIG, "all",
          ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");

  private KafkaSettings() {}

  /** The log's topics, of no generation in particular. */
  public static Topics topics(Settings settings) {
    return topics(settings, "log.prefix", Topics.DEFAULT.generation());
  }

  /** The log's topics, and those of one generation of what folds it. */
  public static Topics topicsOfGeneration(Settings settings) {
    String generation = settings.text("processor.generation", Topics.DEFAULT.generation());
    return topics(settings, "log.prefix, processor.generation", generation);
  }

  private static Topics topics(Settings settings, String names, String generation) {
    String prefix = settings.text("log.prefix", Topics.DEFAULT.prefix());
    try {
      return new Topics(prefix, generation);
    } catch (IllegalArgumentException e) {
      settings.fault(names, e.getMessage());
      return Topics.DEFAULT;
    }
  }

  /** Kafka's settings without the prefix; {@code bootstrap.servers} has to be given. */
  public static Map<String, String> clients(Settings settings) {
    Map<String, String> kafka = new TreeMap<>(settings.prefixed(PREFIX));
    kafka.put(
        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
        settings.required(PREFIX + ProducerConfig.BOOTSTRAP_SERVERS_CONFIG));
    return kafka;
  }

  /**
   * The same for one that appends to the log: acknowledged by every in-sync replica, idempotent,
   * not transactional. Whether Kafka's producer takes these is found out here rather than when it
   * is made.
   *
   * @param defaults under what is given
   * @param forced over what is given
   * @param check of what Kafka itself would take
   */
  public static Map<String, String> logProducer(
      Settings settings,
      Map<String, String> defaults,
      Map<String, String> forced,
      Consumer<ProducerConfig> check) {
    Map<String, String> kafka = new TreeMap<>(defaults);
    kafka.putAll(clients(settings));
    kafka.putAll(forced);
    FIXED.forEach(
        (name, value) -> {
          String given = kafka.put(name, value);
          if (given != null && !given.equals(value)) {
            settings.fault(PREFIX + name, "must be " + value + " or left out");
          }
        });
    if (kafka.containsKey(ProducerConfig.TRANSACTIONAL_ID_CONFIG)) {
      settings.fault(
          PREFIX + ProducerConfig.TRANSACTIONAL_ID_CONFIG,
          "must be left out: nothing transactional is written to the log");
    }
    if (!kafka.get(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG).isEmpty()) { // else told already
      try {
        check.accept(new ProducerConfig(producerOfBytes(kafka)));
      } catch (ConfigException e) {
        settings.fault(PREFIX + "*", e.getMessage());
      }
    }
    return kafka;
  }

  /** A producer's settings, of keys and values that are bytes. A new map. */
  public static Map<String, Object> producerOfBytes(Map<String, String> kafka) {
    Map<String, Object> all = new HashMap<>(kafka);
    all.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    all.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    return all;
  }

  /**
   * Settings of a consumer of bytes in no group, which is assigned its partitions by hand: it reads
   * only what is committed, and falling off its topic is loud. A new map.
   */
  public static Map<String, Object> consumerOfBytes(Map<String, String> kafka, String clientId) {
    Map<String, Object> all =
        without(kafka, ProducerConfig.configNames(), ConsumerConfig.configNames());
    all.remove(ConsumerConfig.GROUP_ID_CONFIG);
    all.remove(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
    all.put(ConsumerConfig.CLIENT_ID_CONFIG, clientId);
    all.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    all.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    all.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
    all.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    all.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    all.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    return all;
  }

  /** {@code kafka} without what one kind of client knows and another does not. A new map. */
  public static Map<String, Object> without(
      Map<String, String> kafka, Set<String> others, Set<String> own) {
    Map<String, Object> all = new HashMap<>(kafka);
    all.keySet().removeIf(name -> others.contains(name) && !own.contains(name));
    return all;
  }
}
