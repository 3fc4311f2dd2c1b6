package dev.tocsin.ops;

import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesBook;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.function.ObjLongConsumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/** Reads all that the rules topic holds. */
final class RulesTopic {
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration READ_MAX = Duration.ofSeconds(20);

  private final Map<String, Object> consumer;
  private final TopicPartition partition;

  RulesTopic(OpsConfig config) {
    this.consumer = config.consumer();
    this.partition = new TopicPartition(config.topics().rules(), 0);
  }

  /**
   * Reads from the beginning to the end that the topic has now.
   *
   * @param each gets every version, and when it was published, in milliseconds; a version may come
   *     twice
   * @throws org.apache.kafka.common.KafkaException if the topic cannot be read
   */
  RulesBook read(ObjLongConsumer<Rules> each) {
    RulesBook book = new RulesBook();
    long giveUp = System.nanoTime() + READ_MAX.toNanos();
    try (var reader = new KafkaConsumer<byte[], byte[]>(consumer)) {
      reader.assign(Set.of(partition));
      reader.seekToBeginning(Set.of(partition));
      long end = reader.endOffsets(Set.of(partition)).get(partition);
      while (reader.position(partition) < end) {
        for (ConsumerRecord<byte[], byte[]> record : reader.poll(POLL)) {
          book.take(record.key(), record.value())
              .ifPresent(rules -> each.accept(rules, record.timestamp()));
        }
        if (System.nanoTime() - giveUp > 0) {
          throw new TimeoutException("%s is not read in %s".formatted(partition, READ_MAX));
        }
      }
    }
    return book;
  }
}
