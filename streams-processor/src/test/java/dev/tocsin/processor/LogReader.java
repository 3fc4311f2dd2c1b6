package dev.tocsin.processor;

import dev.tocsin.engine.Fold;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads partitions from their beginning to their present end. */
final class LogReader {
  private LogReader() {}

  /** Committed records only. */
  static List<ConsumerRecord<byte[], byte[]>> read(String topic, int partition) {
    return read(topic, partition, "read_committed");
  }

  static List<ConsumerRecord<byte[], byte[]>> read(String topic, int partition, String isolation) {
    Map<String, Object> settings = new HashMap<>(RunningProcessor.KAFKA);
    settings.put("isolation.level", isolation);
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    try (var consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      TopicPartition at = new TopicPartition(topic, partition);
      consumer.assign(Set.of(at));
      consumer.seekToBeginning(Set.of(at));
      long end = consumer.endOffsets(Set.of(at)).get(at);
      while (consumer.position(at) < end) {
        consumer.poll(Duration.ofMillis(100)).forEach(all::add);
      }
    }
    return all;
  }

  /** What the log comes to in the heap. */
  static MemoryStore fold(String topic, int partition) {
    MemoryStore store = new MemoryStore();
    Fold fold = new Fold(store, event -> {});
    for (ConsumerRecord<byte[], byte[]> entry : read(topic, partition)) {
      fold.apply(Codec.of(LogEntry.class).decode(entry.value()), entry.offset(), entry.timestamp());
    }
    return store;
  }

  /** What the group has committed for a partition. */
  static long committed(Admin admin, String group, String topic, int partition) throws Exception {
    return admin
        .listConsumerGroupOffsets(group)
        .partitionsToOffsetAndMetadata()
        .get()
        .get(new TopicPartition(topic, partition))
        .offset();
  }
}
