package dev.tocsin.query;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
 * Follows the events topic, once for all streams: every partition, in a thread of its own, into
 * rings. They begin with the newest events that it finds when it starts, so that streams that
 * resume find there what they missed. While Kafka is away it keeps trying, and the rings stay as
 * they are.
 *
 * <p>{@link #rings} is safe from any thread.
 */
final class EventTail implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EventTail.class);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final Duration PAUSE = Duration.ofMillis(500);

  /** How often the topic is asked for its ends. */
  private static final Duration ENDS_EVERY = Duration.ofSeconds(1);

  /** The events are followed if it has been at the topic's ends within this time. */
  private static final Duration BEHIND_MAX = Duration.ofSeconds(10);

  private static final Duration CLOSE_MAX = Duration.ofSeconds(5);

  private final String topic;
  private final long weightMax;
  private final Supplier<Consumer<byte[], byte[]>> consumers;
  private final Runnable changed;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread = new Thread(this::run, "query-events");
  private volatile EventRings rings;
  private volatile Consumer<byte[], byte[]> current;

  /** When the topic ended where it has been read to since. */
  private volatile long currentNanos = System.nanoTime() - BEHIND_MAX.toNanos();

  private long endsNanos;
  private Map<TopicPartition, Long> ends = Map.of();
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

  /** What has been read; empty while it does not follow. */
  Optional<EventRings> rings() {
    return following() ? Optional.ofNullable(rings) : Optional.empty();
  }

  /** What it keeps takes so much memory, in bytes. */
  long weight() {
    EventRings read = rings;
    return read == null ? 0 : read.weight();
  }

  /** Whether it has read all that there was, not longer than {@link #BEHIND_MAX} ago. */
  boolean following() {
    return System.nanoTime() - currentNanos < BEHIND_MAX.toNanos();
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
        } catch (Error e) { // the streams hang on this thread
          LOG.error("following the events of {} failed; trying again", topic, e);
        } finally {
          current = null;
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
    endsNanos = System.nanoTime() - ENDS_EVERY.toNanos();
    tell("the events of " + topic + " are followed");
    while (closed.getCount() > 0) {
      look(consumer, all);
      poll(consumer, all);
    }
  }

  private void begin(Consumer<byte[], byte[]> consumer, List<TopicPartition> all) {
    ends = Map.of();
    if (rings == null) {
      rings = EventRings.of(seeds(consumer, all), weightMax);
    } else {
      all.forEach(each -> consumer.seek(each, rings.of(each.partition()).end()));
    }
  }

  private List<EventSeed> seeds(
      Consumer<byte[], byte[]> consumer, List<TopicPartition> partitions) {
    return SeedReader.read(consumer, partitions, weightMax / partitions.size());
  }

  /**
   * Notes when all has been read that there was. A consumer alone does not tell: where Kafka does
   * not answer there is simply nothing to read.
   *
   * @throws org.apache.kafka.common.errors.TimeoutException if Kafka does not answer
   */
  private void look(Consumer<byte[], byte[]> consumer, List<TopicPartition> all) {
    if (ends.isEmpty() && System.nanoTime() - endsNanos >= ENDS_EVERY.toNanos()) {
      endsNanos = System.nanoTime();
      ends = consumer.endOffsets(all);
    }
    boolean reached =
        ends.entrySet().stream()
            .allMatch(end -> rings.of(end.getKey().partition()).end() >= end.getValue());
    if (!ends.isEmpty() && reached) {
      currentNanos = endsNanos;
      ends = Map.of();
    }
  }

  private void poll(Consumer<byte[], byte[]> consumer, List<TopicPartition> all) {
    ConsumerRecords<byte[], byte[]> found;
    try {
      found = consumer.poll(POLL);
    } catch (OffsetOutOfRangeException e) {
      restart(consumer, List.copyOf(e.partitions()));
      consumer.assign(all);
      all.forEach(each -> consumer.seek(each, rings.of(each.partition()).end()));
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

  /** What it would read next is gone: it begins anew there, and streams hear that they missed. */
  private void restart(Consumer<byte[], byte[]> consumer, List<TopicPartition> lost) {
    LOG.error("events of {} are gone before they were read; going on with the newest", lost);
    consumer.assign(lost);
    seeds(consumer, lost).forEach(rings::restart);
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
