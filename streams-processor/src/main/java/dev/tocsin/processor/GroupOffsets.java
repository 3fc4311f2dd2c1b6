package dev.tocsin.processor;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.common.TopicPartition;

/** Where the generation's owners have committed to. Thread-safe; never blocks. */
final class GroupOffsets {
  private static final int TIMEOUT_MS = 5_000;

  private final Admin admin;
  private final String group;
  private final String topic;

  GroupOffsets(Admin admin, String group, String topic) {
    this.admin = admin;
    this.group = group;
    this.topic = topic;
  }

  /** The first offset of the partition that is not committed. Fails if nobody tells within 5 s. */
  CompletionStage<Long> committed(int partition) {
    TopicPartition at = new TopicPartition(topic, partition);
    try {
      return admin
          .listConsumerGroupOffsets(
              group, new ListConsumerGroupOffsetsOptions().timeoutMs(TIMEOUT_MS))
          .partitionsToOffsetAndMetadata()
          .toCompletionStage()
          .thenApply(offsets -> offsets.get(at).offset());
    } catch (RuntimeException closed) {
      return CompletableFuture.failedStage(closed);
    }
  }
}
