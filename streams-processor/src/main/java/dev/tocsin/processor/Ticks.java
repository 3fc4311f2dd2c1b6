package dev.tocsin.processor;

import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends ticks to the log, one a second and partition unless one is asked for after another, with
 * a producer of its own that is not transactional: nothing on the log may wait for a transaction's
 * end. It does not matter if a tick is lost, so one that cannot be sent is.
 *
 * <p>Thread-safe; {@link #append} never blocks.
 */
final class Ticks implements AutoCloseable {
  /** At most one tick in this time, by partition, but for those that follow one another. */
  static final Duration INTERVAL = Duration.ofSeconds(1);

  private static final Logger LOG = LoggerFactory.getLogger(Ticks.class);
  private static final byte[] ENTRY = Codec.of(LogEntry.class).encode(LogEntries.tick());

  private final String topic;
  private final Clock clock;
  private final Producer<byte[], byte[]> producer;
  private final Map<Integer, Long> lastMs = new ConcurrentHashMap<>();

  /** Partitions whose tick waits for the sender: one each at most, however slow it is. */
  private final Set<Integer> waiting = ConcurrentHashMap.newKeySet();

  private final ExecutorService sender = Executors.newSingleThreadExecutor(task -> daemon(task));

  Ticks(String topic, Map<String, String> kafka, Clock clock) {
    this(topic, clock, producer(kafka));
  }

  Ticks(String topic, Clock clock, Producer<byte[], byte[]> producer) {
    this.topic = topic;
    this.clock = clock;
    this.producer = producer;
  }

  private static Producer<byte[], byte[]> producer(Map<String, String> kafka) {
    Map<String, Object> settings = new HashMap<>(kafka);
    settings.put(ProducerConfig.CLIENT_ID_CONFIG, "tocsin-ticks");
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 1_000);
    settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 2_000);
    settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 5_000);
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** Appends a tick, unless this partition had one less than {@link #INTERVAL} ago. */
  void append(int partition) {
    append(partition, INTERVAL);
  }

  /**
   * Appends a tick after an entry that was applied and has left something that is due. A tick is
   * followed by another at once, so there are as many as are applied; where other entries wait to
   * be applied, those settle as much.
   */
  void appendAfter(byte[] entry, int partition) {
    append(partition, Arrays.equals(entry, ENTRY) ? Duration.ZERO : INTERVAL);
  }

  private void append(int partition, Duration interval) {
    long nowMs = clock.millis();
    Long last = lastMs.get(partition);
    if (last != null && nowMs - last < interval.toMillis() && nowMs >= last) {
      return;
    }
    if (!waiting.add(partition)) {
      return;
    }
    lastMs.put(partition, nowMs);
    try {
      sender.execute(() -> send(partition));
    } catch (RejectedExecutionException closed) {
      waiting.remove(partition);
    }
  }

  private void send(int partition) {
    waiting.remove(partition);
    try {
      Future<RecordMetadata> unused =
          producer.send(new ProducerRecord<>(topic, partition, null, ENTRY));
    } catch (RuntimeException e) {
      LOG.debug("a tick for partition {} was lost", partition, e);
    }
  }

  @Override
  public void close() throws InterruptedException {
    sender.shutdownNow();
    sender.awaitTermination(2, TimeUnit.SECONDS);
    producer.close(Duration.ofSeconds(1));
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "ticks");
    thread.setDaemon(true);
    return thread;
  }
}
