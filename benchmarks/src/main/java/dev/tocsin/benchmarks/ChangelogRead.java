package dev.tocsin.benchmarks;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A topic of state, and how long a plain consumer takes to read all of it. */
final class ChangelogRead {
  private static final Duration POLL = Duration.ofMillis(100);

  private final Map<String, String> kafka;
  private final List<TopicPartition> topic;

  ChangelogRead(Map<String, String> kafka, String topic, int partitions) {
    this.kafka = kafka;
    this.topic =
        IntStream.range(0, partitions)
            .mapToObj(partition -> new TopicPartition(topic, partition))
            .toList();
  }

  /** What the brokers keep of it now, compressed as it is, in bytes. */
  long storedBytes() throws IOException, InterruptedException {
    try (Admin admin = Admin.create(Map.<String, Object>copyOf(kafka))) {
      List<Integer> brokers =
          admin.describeCluster().nodes().get().stream().map(node -> node.id()).toList();
      return admin.describeLogDirs(brokers).allDescriptions().get().values().stream()
          .flatMap(folders -> folders.values().stream())
          .flatMap(folder -> folder.replicaInfos().entrySet().stream())
          .filter(replica -> topic.contains(replica.getKey()))
          .mapToLong(replica -> replica.getValue().size())
          .sum();
    } catch (ExecutionException e) {
      throw new IOException(e);
    }
  }

  /**
   * What a consumer found.
   *
   * @param bytes of keys and values
   */
  record Found(double seconds, long records, long bytes) {}

  /** Reads all that is committed. */
  Found read() {
    Map<String, Object> settings = new HashMap<>(kafka);
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10_000);
    long fromNs = System.nanoTime();
    long records = 0;
    long bytes = 0;
    try (var consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(topic);
      consumer.seekToBeginning(topic);
      Map<TopicPartition, Long> ends = consumer.endOffsets(topic);
      while (topic.stream().anyMatch(each -> consumer.position(each) < ends.get(each))) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          records++;
          bytes += record.key().length + (record.value() == null ? 0 : record.value().length);
        }
      }
    }
    return new Found((System.nanoTime() - fromNs) / 1e9, records, bytes);
  }
}
