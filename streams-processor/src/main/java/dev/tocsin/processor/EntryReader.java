package dev.tocsin.processor;

import dev.tocsin.runtime.Errors;
import io.grpc.Deadline;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads single entries of the log again, for whoever asks what became of one: a thread and a
 * consumer, opened when somebody does, for one question after the other. Others wait, a bounded
 * number of them; one more is UNAVAILABLE. Thread-safe; asking never blocks.
 */
final class EntryReader implements AutoCloseable {
  /** Questions that wait while one is answered. */
  static final int WAITING_MAX = 32;

  /** A question whose caller has no deadline, or a longer one, has so long. */
  static final Duration READ_MAX = Duration.ofSeconds(5);

  private static final Logger LOG = LoggerFactory.getLogger(EntryReader.class);
  private static final Duration POLL = Duration.ofMillis(100);
  private static final Duration CLOSE_MAX = Duration.ofSeconds(1);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  /** One entry at least is fetched, however large it is. */
  private static final int FETCH_BYTES = 64 << 10;

  /** What is asked, on the reader's thread. */
  interface Question {
    void ask(Entries entries);

    /** It is not asked. */
    void refused(StatusRuntimeException why);
  }

  /** The log, as long as a question is asked. */
  interface Entries {
    /**
     * An entry; empty if the log does not hold it any more.
     *
     * @throws StatusRuntimeException UNAVAILABLE, if it cannot be read in time
     */
    Optional<ConsumerRecord<byte[], byte[]>> read(int partition, long offset);
  }

  private final String topic;
  private final Supplier<Consumer<byte[], byte[]>> consumers;
  private final ThreadPoolExecutor thread =
      new ThreadPoolExecutor(
          1, 1, 30, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING_MAX), EntryReader::thread);
  private Consumer<byte[], byte[]> consumer; // of the thread

  /**
   * One that has nothing open yet.
   *
   * @param consumers makes a consumer that has no place to begin
   */
  EntryReader(String topic, Supplier<Consumer<byte[], byte[]>> consumers) {
    this.topic = topic;
    this.consumers = consumers;
    thread.allowCoreThreadTimeOut(true);
  }

  /** Makes consumers of that cluster. */
  static Supplier<Consumer<byte[], byte[]>> consumers(Map<String, String> kafka) {
    Map<String, Object> settings = new HashMap<>(kafka);
    settings.put(ConsumerConfig.CLIENT_ID_CONFIG, "tocsin-entries");
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
    settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 1);
    settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, FETCH_BYTES);
    return () ->
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /** Asks, when its turn comes. */
  void ask(Deadline deadline, Question question) {
    Deadline own = Deadline.after(READ_MAX.toMillis(), TimeUnit.MILLISECONDS);
    Deadline end = deadline == null ? own : own.minimum(deadline);
    try {
      thread.execute(() -> question.ask((partition, offset) -> read(partition, offset, end)));
    } catch (RejectedExecutionException full) {
      question.refused(
          Errors.unavailable("too many alerts are being read from the log", RETRY_AFTER));
    }
  }

  @Override
  public void close() throws InterruptedException {
    thread.shutdownNow();
    if (thread.awaitTermination(CLOSE_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
      discard();
    }
  }

  private Optional<ConsumerRecord<byte[], byte[]>> read(
      int partition, long offset, Deadline deadline) {
    try {
      if (consumer == null) {
        consumer = consumers.get();
      }
      return read(new TopicPartition(topic, partition), offset, deadline);
    } catch (OffsetOutOfRangeException gone) {
      return Optional.empty();
    } catch (StatusRuntimeException late) {
      throw late;
    } catch (RuntimeException e) {
      LOG.warn("the entry at {}-{} cannot be read", partition, offset, e);
      discard();
      throw Errors.unavailable(
          "the entry at %d-%d cannot be read from the log now".formatted(partition, offset),
          RETRY_AFTER);
    }
  }

  private Optional<ConsumerRecord<byte[], byte[]>> read(
      TopicPartition from, long offset, Deadline deadline) {
    consumer.assign(List.of(from));
    consumer.seek(from, offset);
    while (!deadline.isExpired()) {
      for (ConsumerRecord<byte[], byte[]> first : consumer.poll(POLL)) {
        return Optional.of(first).filter(record -> record.offset() == offset);
      }
    }
    throw Errors.unavailable(
        "the log did not give the entry at %d-%d in time".formatted(from.partition(), offset),
        RETRY_AFTER);
  }

  private void discard() {
    Consumer<byte[], byte[]> old = consumer;
    consumer = null;
    if (old != null) {
      try {
        old.close();
      } catch (KafkaException e) { // as of a thread that is interrupted
        LOG.debug("a consumer of entries did not close", e);
      }
    }
  }

  private static Thread thread(Runnable task) {
    Thread thread = new Thread(task, "processor-entries");
    thread.setDaemon(true);
    return thread;
  }
}
