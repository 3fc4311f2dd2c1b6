package dev.tocsin.processor;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.UnknownMemberIdException;

/**
 * Where a generation begins. Since no offset is ever made up ({@code auto.offset.reset} is none), a
 * generation that has none is given offset 0 of each partition before it starts, if the log still
 * has it.
 */
final class FirstOffsets {
  /** The log as it was made. */
  record Shape(int partitions, int replicas) {}

  private FirstOffsets() {}

  /**
   * Gives the generation the beginning of each partition for which it has no offset yet.
   *
   * @return the log's partitions, and the replicas of each
   * @throws IllegalStateException if the log has lost its beginning
   * @throws KafkaException if the cluster does not answer
   */
  static Shape ensure(Admin admin, String topic, String group) throws InterruptedException {
    try {
      List<TopicPartitionInfo> partitions =
          admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions();
      Map<TopicPartition, OffsetAndMetadata> committed =
          admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
      Map<TopicPartition, OffsetAndMetadata> missing =
          IntStream.range(0, partitions.size())
              .mapToObj(partition -> new TopicPartition(topic, partition))
              .filter(partition -> committed.get(partition) == null)
              .collect(
                  Collectors.toMap(partition -> partition, partition -> new OffsetAndMetadata(0)));
      if (!missing.isEmpty()) {
        checkBeginning(admin, missing);
        begin(admin, group, missing);
      }
      return new Shape(partitions.size(), partitions.get(0).replicas().size());
    } catch (ExecutionException e) {
      throw e.getCause() instanceof KafkaException known ? known : new KafkaException(e.getCause());
    }
  }

  private static void checkBeginning(Admin admin, Map<TopicPartition, OffsetAndMetadata> missing)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, OffsetSpec> ask = new HashMap<>();
    missing.keySet().forEach(partition -> ask.put(partition, OffsetSpec.earliest()));
    var earliest = admin.listOffsets(ask).all().get();
    earliest.forEach(
        (partition, first) -> {
          if (first.offset() > 0) {
            throw new IllegalStateException(
                "%s begins at offset %d: what was before is gone, and incidents cannot be folded without it"
                    .formatted(partition, first.offset()));
          }
        });
  }

  private static void begin(
      Admin admin, String group, Map<TopicPartition, OffsetAndMetadata> missing)
      throws ExecutionException, InterruptedException {
    try {
      admin.alterConsumerGroupOffsets(group, missing).all().get();
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof UnknownMemberIdException)) {
        throw e;
      }
      // The group runs already: whoever started it did this before.
    }
  }
}
