package dev.tocsin.query;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the events topic, once for all streams: from the end that it finds when it starts, every
 * partition, in a thread of its own, into rings. While Kafka is away it keeps trying, and the rings
 * stay as they are.
 *
 * <p>{@link #rings} is safe from any thread.
 */
final class EventTail implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EventTail.class);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final Duration PAUSE = Duration.ofMillis(500);
  private static final Duration CLOSE_MAX = Duration.ofSeconds(5);

  private final String topic;
  private final long weightMax;
  private final Supplier<Consumer<byte[], byte[]>> consumers;
  private final Runnable changed;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread = new Thread(this::run, "query-events");
  private volatile EventRings rings;
  private volatile Consumer<byte[], byte[]> current;
  private volatile boolean following;
  private String told = "";

  /**
   * A tail that is yet to be started.
   *
   * @param weightMax of what is kept, in bytes
   * @param consumers makes a consumer that reads what is committed and has no place to begin
   * @param changed run after events have come in; must not wait
   */
  EventTail(
      String topic,
      long weightMax,
      Supplier<Consumer<byte[], byte[]>> consumers,
      Runnable changed) {
    this.topic = topic;
    this.weightMax = weightMax;
    this.consumers = consumers;
    this.changed = changed;
  }

  /** Begins to follow. Returns at once. */
  void start() {
    thread.setDaemon(true);
    thread.start();
  }

  /** What has been read; empty until the topic has been found. */
  Optional<EventRings> rings() {
    return Optional.ofNullable(rings);
  }

  /** Whether it has a consumer that has not failed. */
  boolean following() {
    return following;
  }

  @Override
  public void close() throws InterruptedException {
    closed.countDown();
    Consumer<byte[], byte[]> open = current;
    if (open != null) {
      open.wakeup();
    }
    thread.join(CLOSE_MAX.toMillis());
  }

  private void run() {
    try {
      do {
        try (Consumer<byte[], byte[]> consumer = consumers.get()) {
          current = consumer;
          follow(consumer);
        } catch (WakeupException stopping) {
          LOG.debug("told to stop");
        } catch (RuntimeException e) {
          tell("the events of " + topic + " cannot be followed: " + e);
        } finally {
          current = null;
          following = false;
        }
      } while (!closed.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void follow(Consumer<byte[], byte[]> consumer) {
    List<PartitionInfo> found = consumer.partitionsFor(topic);
    if (found == null || found.isEmpty()) {
      throw new IllegalStateException("there is no such topic yet");
    }
    if (rings != null && rings.partitions() != found.size()) {
      throw new IllegalStateException(
          "it has %d partitions now and had %d".formatted(found.size(), rings.partitions()));
    }
    List<TopicPartition> all = new ArrayList<>();
    for (int partition = 0; partition < found.size(); partition++) {
      all.add(new TopicPartition(topic, partition));
    }
    consumer.assign(all);
    begin(consumer, all);
    following = true;
    tell("the events of " + topic + " are followed");
    while (closed.getCount() > 0) {
      poll(consumer, all);
    }
  }

  private void begin(Consumer<byte[], byte[]> consumer, List<TopicPartition> all) {
    if (rings == null) {
      consumer.seekToEnd(all);
      long[] ends = all.stream().mapToLong(consumer::position).toArray();
      rings = new EventRings(ends, weightMax);
    } else {
      all.forEach(each -> consumer.seek(each, rings.of(each.partition()).end()));
    }
  }

  private void poll(Consumer<byte[], byte[]> consumer, List<TopicPartition> all) {
    ConsumerRecords<byte[], byte[]> found;
    try {
      found = consumer.poll(POLL);
    } catch (OffsetOutOfRangeException e) {
      restart(consumer, e.partitions());
      return;
    }
    for (ConsumerRecord<byte[], byte[]> record : found) {
      rings.add(EventItem.of(record));
    }
    for (TopicPartition each : all) {
      rings.of(each.partition()).advance(consumer.position(each));
    }
    if (!found.isEmpty()) {
      changed.run();
    }
  }

  /** What it would read next is gone: it goes on at the end, and streams hear that they missed. */
  private void restart(Consumer<byte[], byte[]> consumer, Collection<TopicPartition> lost) {
    LOG.error("events of {} are gone before they were read; going on at the end", lost);
    consumer.seekToEnd(lost);
    lost.forEach(each -> rings.restart(each.partition(), consumer.position(each)));
    changed.run();
  }

  /** Each thing once, not with each attempt. */
  private void tell(String what) {
    if (!what.equals(told)) {
      LOG.info(what);
      told = what;
    }
  }
}
