package dev.tocsin.ingest;

import dev.tocsin.runtime.Health;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the log every few seconds from a thread of its own: whether it can be reached, how many
 * partitions it has, whether it takes what is sent. Reports what it finds as a condition of {@link
 * Health}.
 *
 * <p>{@link #partitions} is thread-safe and never waits.
 */
final class LogWatch implements AutoCloseable {
  /** The condition of {@link Health} that the log can be appended to. */
  static final String CONDITION = "log";

  private static final Logger LOG = LoggerFactory.getLogger(LogWatch.class);
  private static final Duration WHEN_WELL = Duration.ofSeconds(3);
  private static final Duration WHEN_NOT = Duration.ofMillis(500);
  private static final Duration ANSWER_MAX = Duration.ofSeconds(5);

  /** What is wrong with the log, in words for an operator. */
  private static final class LogProblem extends Exception {
    LogProblem(String message) {
      super(message);
    }
  }

  private final EdgeConfig config;
  private final String topic;
  private final Health health;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread = new Thread(this::run, "edge-log-watch");
  private volatile int partitions;
  private volatile long appendedNanos = System.nanoTime();
  private int firstPartitions; // of the thread, as all that follows
  private Admin admin;
  private String told = "";

  /** A watch that is yet to be started. */
  LogWatch(EdgeConfig config, Health health) {
    this.config = config;
    this.topic = config.topics().log();
    this.health = health;
    health.require(CONDITION);
  }

  void start() {
    thread.setDaemon(true);
    thread.start();
  }

  /** The log's partitions; 0 while it cannot be appended to, as far as is known. */
  int partitions() {
    return partitions;
  }

  /** An entry was appended just now. From any thread. */
  void appended() {
    appendedNanos = System.nanoTime();
  }

  @Override
  public void close() throws InterruptedException {
    closed.countDown();
    thread.join(ANSWER_MAX.multipliedBy(2).toMillis());
  }

  private void run() {
    try {
      do {
        poll();
      } while (!closed.await(
          (partitions > 0 ? WHEN_WELL : WHEN_NOT).toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      partitions = 0;
      health.unmet(CONDITION, "it is not looked at any more");
      if (admin != null) {
        admin.close(Duration.ZERO);
      }
    }
  }

  private void poll() throws InterruptedException {
    long begun = System.nanoTime();
    try {
      if (admin == null) {
        admin = Admin.create(config.adminConfig());
      }
      well(look());
    } catch (LogProblem e) {
      unwell(e.getMessage());
    } catch (RetriableException e) {
      // A log that appends is well, whatever this connection met.
      if (partitions == 0 || appendedNanos - begun < 0) {
        unwell("no broker of " + config.bootstrapServers() + " answers");
      }
    } catch (RuntimeException e) {
      unwell(e.toString());
    }
  }

  private void well(int count) {
    health.met(CONDITION);
    if (!told.isEmpty()) {
      LOG.info("the log {} is well again: {} partitions", topic, count);
      told = "";
    }
    partitions = count;
  }

  private void unwell(String why) {
    partitions = 0;
    health.unmet(CONDITION, why);
    if (!why.equals(told)) {
      LOG.error("nothing can be appended to the log: {}", why);
      told = why;
    }
  }

  /** The number of partitions of a log that is as it must be. */
  private int look() throws InterruptedException, LogProblem {
    int count = describe().partitions().size();
    checkSizes();
    if (firstPartitions == 0) {
      firstPartitions = count;
    }
    if (count != firstPartitions) {
      throw new LogProblem(
          "%s had %d partitions and now has %d: they are fixed for a log's life"
              .formatted(topic, firstPartitions, count));
    }
    return count;
  }

  private TopicDescription describe() throws InterruptedException, LogProblem {
    TopicDescription log;
    try {
      log = admin.describeTopics(List.of(topic)).topicNameValues().get(topic).get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        throw new LogProblem("there is no topic " + topic);
      }
      throw kafka(e);
    }
    for (TopicPartitionInfo partition : log.partitions()) {
      if (partition.leader() == null || partition.leader().isEmpty()) {
        throw new LogProblem("%s-%d has no leader".formatted(topic, partition.partition()));
      }
    }
    return log;
  }

  private void checkSizes() throws InterruptedException, LogProblem {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    int max;
    try {
      max =
          Integer.parseInt(
              admin
                  .describeConfigs(List.of(resource))
                  .values()
                  .get(resource)
                  .get()
                  .get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG)
                  .value());
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RetriableException) {
        throw kafka(e);
      }
      return; // not everyone may read a topic's settings
    }
    if (max < config.requestBytesMax()) {
      throw new LogProblem(
          "%s takes records of %d bytes (max.message.bytes), and this producer sends up to %d (kafka.max.request.size)"
              .formatted(topic, max, config.requestBytesMax()));
    }
  }

  private static KafkaException kafka(ExecutionException e) {
    return e.getCause() instanceof KafkaException known ? known : new KafkaException(e.getCause());
  }
}
