package dev.tocsin.runtime;

import dev.tocsin.schemas.WriterSchema;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Publishes the schema of what a process is about to write, so that software older than it can read
 * that. To be done before the first record is written with it. The topic is compacted and has one
 * partition.
 */
public final class SchemaPublisher {
  /** Each of its requests, and the reading of the whole topic, takes no longer. */
  private static final Duration STEP_MAX = Duration.ofSeconds(5);

  private static final Duration POLL = Duration.ofMillis(200);

  private SchemaPublisher() {}

  /**
   * Sees to it that the topic has this schema. If it has, nothing is written; twice at once is
   * harmless. Blocks, where the cluster does not answer for up to half a minute.
   *
   * @param kafka client settings; {@code bootstrap.servers} at least. What only another kind of
   *     client knows is left out
   * @param key of the schema in the topic
   * @param json its value there
   * @return whether it was written now; then every in-sync replica has it
   * @throws KafkaException if the cluster does not take it in that time, or has no such topic
   */
  public static boolean publish(Map<String, ?> kafka, String topic, byte[] key, byte[] json) {
    return publish(topic, kafka, List.of(new ProducerRecord<>(topic, 0, key, json)));
  }

  /** As the other, for several at once. Whether any was written now. */
  public static boolean publish(Map<String, ?> kafka, String topic, List<WriterSchema> schemas) {
    return publish(
        topic,
        kafka,
        schemas.stream()
            .map(schema -> new ProducerRecord<>(topic, 0, schema.key(), schema.json()))
            .toList());
  }

  private static boolean publish(
      String topic, Map<String, ?> kafka, List<ProducerRecord<byte[], byte[]>> schemas) {
    Map<ByteBuffer, byte[]> published = published(kafka, topic);
    List<ProducerRecord<byte[], byte[]>> missing =
        schemas.stream()
            .filter(
                schema ->
                    !Arrays.equals(published.get(ByteBuffer.wrap(schema.key())), schema.value()))
            .toList();
    if (missing.isEmpty()) {
      return false;
    }
    write(kafka, missing);
    return true;
  }

  /** What the topic has under each key that it has. */
  private static Map<ByteBuffer, byte[]> published(Map<String, ?> kafka, String topic) {
    Map<ByteBuffer, byte[]> found = new HashMap<>();
    try (var consumer =
        new KafkaConsumer<>(
            consumer(kafka), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      if (consumer.partitionsFor(topic).isEmpty()) {
        throw new UnknownTopicOrPartitionException("there is no topic " + topic);
      }
      TopicPartition all = new TopicPartition(topic, 0);
      consumer.assign(List.of(all));
      consumer.seekToBeginning(List.of(all));
      long end = consumer.endOffsets(List.of(all)).get(all);
      long deadlineNanos = System.nanoTime() + STEP_MAX.toNanos();
      while (consumer.position(all) < end) {
        if (System.nanoTime() - deadlineNanos > 0) {
          throw new TimeoutException(topic + " cannot be read to its end");
        }
        for (ConsumerRecord<byte[], byte[]> each : consumer.poll(POLL)) {
          if (each.key() != null) {
            found.put(ByteBuffer.wrap(each.key()), each.value());
          }
        }
      }
    }
    return found;
  }

  private static void write(Map<String, ?> kafka, List<ProducerRecord<byte[], byte[]>> schemas) {
    try (var producer =
        new KafkaProducer<>(
            producer(kafka), new ByteArraySerializer(), new ByteArraySerializer())) {
      List<Future<RecordMetadata>> sent = schemas.stream().map(producer::send).toList();
      for (Future<RecordMetadata> each : sent) {
        each.get();
      }
    } catch (ExecutionException e) {
      throw e.getCause() instanceof KafkaException known ? known : new KafkaException(e.getCause());
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  private static Map<String, Object> consumer(Map<String, ?> kafka) {
    Map<String, Object> settings =
        without(kafka, ProducerConfig.configNames(), ConsumerConfig.configNames());
    settings.put(ConsumerConfig.CLIENT_ID_CONFIG, "tocsin-schemas");
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
    settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    settings.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, millis(STEP_MAX));
    settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, millis(STEP_MAX));
    return settings;
  }

  private static Map<String, Object> producer(Map<String, ?> kafka) {
    Map<String, Object> settings =
        without(kafka, ConsumerConfig.configNames(), ProducerConfig.configNames());
    settings.remove(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
    settings.put(ProducerConfig.CLIENT_ID_CONFIG, "tocsin-schemas");
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
    settings.put(ProducerConfig.LINGER_MS_CONFIG, "0");
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, millis(STEP_MAX));
    settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, millis(STEP_MAX));
    settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, millis(STEP_MAX));
    return settings;
  }

  /** The settings without those that only another kind of client knows. */
  private static Map<String, Object> without(
      Map<String, ?> kafka, Set<String> others, Set<String> own) {
    Map<String, Object> settings = new HashMap<>(kafka);
    settings.keySet().removeIf(name -> others.contains(name) && !own.contains(name));
    settings.remove(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG); // known to both, and of one kind
    return settings;
  }

  private static String millis(Duration duration) {
    return Long.toString(duration.toMillis());
  }
}
