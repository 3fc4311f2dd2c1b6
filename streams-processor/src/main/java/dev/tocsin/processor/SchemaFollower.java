package dev.tocsin.processor;

import dev.tocsin.schemas.SchemaRefusal;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the schemas that writers have published: all that there are before the fold starts, and
 * then each as it comes, on a thread of its own. A topic that cannot be read for a while is read
 * again from its beginning; what is known already costs nothing.
 */
final class SchemaFollower implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SchemaFollower.class);
  private static final Duration START_MAX = Duration.ofSeconds(30);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Duration CLOSE_MAX = Duration.ofSeconds(5);
  private static final int KEY_SHOWN_MAX = 16;

  private final TopicPartition topic;
  private final Map<String, String> kafka;
  private final EntryGate gate;
  private final StateCodecs state;
  private final MeterRegistry meters;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread = new Thread(this::follow, "schemas");
  private volatile KafkaConsumer<byte[], byte[]> consumer;

  /**
   * One that is yet to be started.
   *
   * @param gate told of schemas of entries
   * @param state told of schemas of what stores hold
   */
  SchemaFollower(
      String topic,
      Map<String, String> kafka,
      EntryGate gate,
      StateCodecs state,
      MeterRegistry meters) {
    this.state = state;
    this.topic = new TopicPartition(topic, 0);
    this.kafka = kafka;
    this.gate = gate;
    this.meters = meters;
  }

  /**
   * Returns once all that is published now is known, and follows from then on.
   *
   * @throws KafkaException if that takes more than half a minute
   */
  void start() {
    open();
    long end = consumer.endOffsets(List.of(topic), START_MAX).get(topic);
    long deadlineNanos = System.nanoTime() + START_MAX.toNanos();
    while (consumer.position(topic, START_MAX) < end) {
      if (System.nanoTime() - deadlineNanos > 0) {
        throw new TimeoutException(topic + " cannot be read to its end");
      }
      consumer.poll(POLL).forEach(this::learn);
    }
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws InterruptedException {
    closing.countDown();
    if (!thread.isAlive()) {
      discard();
      return;
    }
    KafkaConsumer<byte[], byte[]> open = consumer;
    if (open != null) {
      open.wakeup();
    }
    thread.join(CLOSE_MAX.toMillis());
  }

  private void open() {
    Map<String, Object> settings = new HashMap<>(kafka);
    settings.put(ConsumerConfig.CLIENT_ID_CONFIG, "tocsin-schemas");
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
    settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.assign(List.of(topic));
    consumer.seekToBeginning(List.of(topic));
  }

  private void follow() {
    try {
      while (closing.getCount() > 0) {
        try {
          if (consumer == null) {
            open();
          }
          consumer.poll(POLL).forEach(this::learn);
        } catch (WakeupException e) {
          LOG.debug("no longer followed: {}", topic);
        } catch (RuntimeException e) { // the pause of a partition may hang on this thread
          LOG.warn("{} cannot be read now", topic, e);
          discard();
          closing.await(RETRY.toMillis(), TimeUnit.MILLISECONDS);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      discard();
    }
  }

  private void discard() {
    KafkaConsumer<byte[], byte[]> open = consumer;
    consumer = null;
    if (open != null) {
      open.close();
    }
  }

  private void learn(ConsumerRecord<byte[], byte[]> schema) {
    if (schema.value() == null) {
      return; // removed: what is known stays known
    }
    Optional<SchemaRefusal> refusal = gate.learn(schema.key(), schema.value());
    if (refusal.filter(SchemaRefusal.OTHER_RECORD::equals).isPresent()) {
      refusal = state.learn(schema.key(), schema.value());
    }
    if (refusal.isEmpty() || refusal.get() == SchemaRefusal.OTHER_RECORD) {
      return;
    }
    LOG.warn(
        "the schema {} at offset {} of {} is not taken: {}",
        shown(schema.key()),
        schema.offset(),
        topic,
        refusal.get());
    meters.counter("tocsin.processor.schemas.refused", "reason", refusal.get().name()).increment();
  }

  private static String shown(byte[] key) {
    return key == null
        ? "without a key"
        : HexFormat.of().formatHex(key, 0, Math.min(key.length, KEY_SHOWN_MAX));
  }
}
