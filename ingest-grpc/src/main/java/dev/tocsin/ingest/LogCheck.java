package dev.tocsin.ingest;

import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.TopicConfig;

/**
 * Whether a log is as it must be for this edge to append to it. What passes by itself is told from
 * what an operator has to mend.
 */
final class LogCheck {
  private final int requestBytesMax;
  private int firstPartitions;

  /** What is wrong with the log, in words for an operator, and what alerts are told meanwhile. */
  static final class Problem extends Exception {
    private final Refusal refusal;

    Problem(Refusal refusal, String message) {
      super(message);
      this.refusal = refusal;
    }

    Refusal refusal() {
      return refusal;
    }
  }

  /**
   * A check that has seen no log yet.
   *
   * @param requestBytesMax of one entry, as the producer sends them
   */
  LogCheck(int requestBytesMax) {
    this.requestBytesMax = requestBytesMax;
  }

  /** There is no such topic: not yet, or not any more. */
  Problem absent(String topic) {
    return firstPartitions == 0
        ? new Problem(Refusal.LOG_UNAVAILABLE, "there is no topic " + topic)
        : refuses("the topic %s is gone, with all that was acknowledged".formatted(topic));
  }

  /** Kafka does not let this edge do so. */
  static Problem denied(RuntimeException by) {
    return refuses("Kafka does not let this edge in: " + by.getMessage());
  }

  /**
   * The number of partitions of a log that is as it must be.
   *
   * @param settings of the topic; empty if they are not known
   */
  int check(TopicDescription log, Map<String, String> settings) throws Problem {
    mayWrite(log);
    count(log);
    size(log.name(), settings.get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG));
    replicas(log, settings.getOrDefault(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, "1"));
    firstPartitions = log.partitions().size();
    return firstPartitions;
  }

  private static void mayWrite(TopicDescription log) throws Problem {
    Set<AclOperation> allowed = log.authorizedOperations();
    if (allowed != null && !allowed.isEmpty() && !allowed.contains(AclOperation.WRITE)) {
      throw refuses("this edge may not write to %s (ACL)".formatted(log.name()));
    }
  }

  private void count(TopicDescription log) throws Problem {
    int count = log.partitions().size();
    if (firstPartitions != 0 && count != firstPartitions) {
      throw refuses(
          "%s had %d partitions and now has %d: they are fixed for a log's life"
              .formatted(log.name(), firstPartitions, count));
    }
  }

  private void size(String topic, String bytesMax) throws Problem {
    if (bytesMax != null && Integer.parseInt(bytesMax) < requestBytesMax) {
      throw refuses(
          "%s takes records of %s bytes (max.message.bytes), and this producer sends up to %d (kafka.max.request.size)"
              .formatted(topic, bytesMax, requestBytesMax));
    }
  }

  /** With fewer in sync than the log wants, none of its entries is acknowledged. */
  private static void replicas(TopicDescription log, String inSyncMin) throws Problem {
    for (TopicPartitionInfo partition : log.partitions()) {
      String name = log.name() + "-" + partition.partition();
      if (partition.leader() == null || partition.leader().isEmpty()) {
        throw new Problem(Refusal.LOG_UNAVAILABLE, name + " has no leader");
      }
      if (partition.isr().size() < Integer.parseInt(inSyncMin)) {
        throw new Problem(
            Refusal.LOG_UNAVAILABLE,
            "%s has %d replicas in sync of the %s that it needs (min.insync.replicas)"
                .formatted(name, partition.isr().size(), inSyncMin));
      }
    }
  }

  private static Problem refuses(String message) {
    return new Problem(Refusal.LOG_REFUSES, message);
  }
}
