package dev.tocsin.chaos;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads partitions from their beginning to their present end, committed records only. */
final class TopicReader {
  private static final Duration READ_MAX = Duration.ofMinutes(5);
  private static final Duration POLL = Duration.ofMillis(200);

  private final Map<String, Object> settings = new HashMap<>();

  TopicReader(String bootstrap) {
    settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
  }

  /** Gives each record to {@code to}, in order. */
  void read(
      String topic, int partition, long fromOffset, Consumer<ConsumerRecord<byte[], byte[]>> to)
      throws NotHealedException {
    long begun = System.nanoTime();
    TopicPartition from = new TopicPartition(topic, partition);
    try (var consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(Set.of(from));
      consumer.seek(from, fromOffset);
      long end = consumer.endOffsets(Set.of(from)).get(from);
      while (consumer.position(from) < end) {
        if (System.nanoTime() - begun > READ_MAX.toNanos()) {
          throw new NotHealedException(
              "%s-%d is not read in %d s".formatted(topic, partition, READ_MAX.toSeconds()));
        }
        consumer.poll(POLL).forEach(to);
      }
    }
  }
}
