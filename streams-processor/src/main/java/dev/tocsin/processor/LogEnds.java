package dev.tocsin.processor;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/** Where the log ends. Thread-safe; never blocks. */
final class LogEnds {
  private static final int TIMEOUT_MS = 5_000;

  private final Admin admin;
  private final String topic;

  LogEnds(Admin admin, String topic) {
    this.admin = admin;
    this.topic = topic;
  }

  /**
   * The offset that the partition's next entry will get. Fails if the cluster does not tell within
   * five seconds.
   */
  CompletionStage<Long> end(int partition) {
    TopicPartition at = new TopicPartition(topic, partition);
    ListOffsetsOptions options =
        new ListOffsetsOptions(IsolationLevel.READ_UNCOMMITTED).timeoutMs(TIMEOUT_MS);
    try {
      return admin
          .listOffsets(Map.of(at, OffsetSpec.latest()), options)
          .partitionResult(at)
          .toCompletionStage()
          .thenApply(ListOffsetsResultInfo::offset);
    } catch (RuntimeException closed) {
      return CompletableFuture.failedStage(closed);
    }
  }
}
