package dev.tocsin.ingest;

import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Within a real producer, by {@code kafka.interceptor.classes}: counts what is sent, and ends the
 * producer's own thread when it is told to, with an error as running out of memory is one. Edges
 * have consumers too, so it is one of theirs as well.
 */
public final class DyingProducer
    implements ProducerInterceptor<byte[], byte[]>, ConsumerInterceptor<byte[], byte[]> {
  static final AtomicInteger SENT = new AtomicInteger();
  static final AtomicInteger DEATHS_DUE = new AtomicInteger();

  @Override
  public ProducerRecord<byte[], byte[]> onSend(ProducerRecord<byte[], byte[]> record) {
    SENT.incrementAndGet();
    return record;
  }

  @Override
  public void onAcknowledgement(RecordMetadata metadata, Exception error) {
    if (DEATHS_DUE.getAndUpdate(due -> Math.max(0, due - 1)) > 0) {
      throw new LinkageError("the end of this thread");
    }
  }

  @Override
  public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> records) {
    return records;
  }

  @Override
  public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {}

  @Override
  public void close() {}

  @Override
  public void configure(Map<String, ?> settings) {}
}
