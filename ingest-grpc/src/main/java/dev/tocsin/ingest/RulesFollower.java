package dev.tocsin.ingest;

import dev.tocsin.engine.Stamper;
import dev.tocsin.runtime.Health;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesBook;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the rules topic from a thread of its own, and has a stamper ready for the version that is
 * active: the newest that every partition of the log has. Until the topic is read to its end there
 * is none. From then on there always is one: where the topic cannot be read for a while, or a newer
 * version is not understood, it stays the last, and the condition in {@link Health} says so.
 *
 * <p>{@link #stamper} is thread-safe and never waits.
 */
final class RulesFollower implements AutoCloseable {
  /** The condition of {@link Health} that the active rules are known and understood. */
  static final String CONDITION = "rules";

  private static final Logger LOG = LoggerFactory.getLogger(RulesFollower.class);
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final Duration RETRY = Duration.ofMillis(500);
  private static final Duration CLOSE_MAX = Duration.ofSeconds(5);

  private final EdgeConfig config;
  private final TopicPartition topic;
  private final Health health;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread = new Thread(this::run, "edge-rules");
  private volatile Stamper stamper;
  private volatile Consumer<byte[], byte[]> reader;
  private String told = ""; // of the thread

  /** A follower that is yet to be started. */
  RulesFollower(EdgeConfig config, Health health, MeterRegistry meters) {
    this.config = config;
    this.topic = new TopicPartition(config.topics().rules(), 0);
    this.health = health;
    health.require(CONDITION);
    Gauge.builder("tocsin.edge.rules.version", this, RulesFollower::version)
        .description("The version of the rules that alerts are stamped under; 0 for none yet")
        .register(meters);
  }

  void start() {
    thread.setDaemon(true);
    thread.start();
  }

  /** Of the active rules; null until they are known. */
  Stamper stamper() {
    return stamper;
  }

  /** The version that is stamped under; 0 until one is known. */
  private int version() {
    Stamper now = stamper;
    return now == null ? 0 : now.rulesVersion();
  }

  @Override
  public void close() throws InterruptedException {
    closed.countDown();
    Consumer<byte[], byte[]> open = reader;
    if (open != null) {
      open.wakeup();
    }
    thread.join(CLOSE_MAX.toMillis());
  }

  private void run() {
    try {
      do {
        follow();
      } while (!closed.await(RETRY.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Reads from the beginning, and on until it is closed or the topic cannot be read. */
  private void follow() {
    try (Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(config.rulesConsumerConfig())) {
      reader = consumer;
      consumer.assign(Set.of(topic));
      consumer.seekToBeginning(Set.of(topic));
      long end = consumer.endOffsets(Set.of(topic)).get(topic);
      RulesBook book = new RulesBook();
      while (closed.getCount() > 0) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          book.take(record.key(), record.value());
        }
        if (consumer.position(topic) >= end) {
          take(book);
        }
      }
    } catch (WakeupException e) {
      // closed
    } catch (Codec.UnknownSchemaException | Codec.UndecodableException e) {
      unwell("a version is not understood: " + e.getMessage());
    } catch (RuntimeException e) {
      unwell("the topic " + topic.topic() + " cannot be read: " + e.getMessage());
    } finally {
      reader = null;
    }
  }

  private void take(RulesBook book) {
    Optional<Rules> active = book.active();
    if (active.isEmpty()) {
      unwell("there are none yet in " + topic.topic());
      return;
    }
    Rules rules = active.get();
    if (rules.getVersion() > version()) {
      try {
        stamper = new Stamper(rules);
        LOG.info("alerts are stamped under version {} of the rules", rules.getVersion());
      } catch (IllegalArgumentException e) {
        unwell("version %d is not understood: %s".formatted(rules.getVersion(), e.getMessage()));
        return;
      }
    }
    told = "";
    health.met(CONDITION);
  }

  private void unwell(String why) {
    health.unmet(CONDITION, why);
    if (!why.equals(told)) {
      LOG.warn("the rules: {}; alerts are stamped under version {}", why, version());
      told = why;
    }
  }
}
