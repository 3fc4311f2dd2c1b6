package dev.tocsin.processor;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/** Partition 0 of a log without a broker, to be read again. Thread-safe. */
final class RecordedLog {
  static final String TOPIC = "recorded";
  private static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);

  private final List<ConsumerRecord<byte[], byte[]>> entries = new ArrayList<>();
  private long begin;
  private RuntimeException fault;

  synchronized void add(long offset, long atMs, byte[] entry) {
    entries.add(
        new ConsumerRecord<>(
            TOPIC,
            0,
            offset,
            atMs,
            TimestampType.LOG_APPEND_TIME,
            0,
            entry.length,
            null,
            entry,
            new RecordHeaders(),
            Optional.empty()));
  }

  /** What is before that is gone. */
  synchronized void begin(long offset) {
    begin = offset;
  }

  /** What the next read ends with. */
  synchronized void fail(RuntimeException with) {
    fault = with;
  }

  /** One that reads all of it that is there when it is assigned. */
  Consumer<byte[], byte[]> consumer() {
    return new MockConsumer<>("none") {
      @Override
      public synchronized void assign(Collection<TopicPartition> partitions) {
        super.assign(partitions);
        synchronized (RecordedLog.this) {
          updateBeginningOffsets(Map.of(PARTITION, begin));
          entries.stream().filter(entry -> entry.offset() >= begin).forEach(this::addRecord);
          if (fault != null) {
            RuntimeException thrown = fault;
            fault = null;
            throw thrown;
          }
        }
      }
    };
  }
}
