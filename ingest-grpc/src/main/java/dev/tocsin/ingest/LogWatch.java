package dev.tocsin.ingest;

import dev.tocsin.runtime.Health;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the log every few seconds from a thread of its own: whether it can be reached, how many
 * partitions it has, whether it takes what is sent. Reports what it finds as a condition of {@link
 * Health}.
 *
 * <p>{@link #state} is thread-safe and never waits.
 */
final class LogWatch implements AutoCloseable {
  /** The condition of {@link Health} that the log can be appended to. */
  static final String CONDITION = "log";

  private static final Logger LOG = LoggerFactory.getLogger(LogWatch.class);
  private static final Duration WHEN_WELL = Duration.ofSeconds(3);
  private static final Duration WHEN_NOT = Duration.ofMillis(500);
  private static final Duration ANSWER_MAX = Duration.ofSeconds(5);

  private static final String AUTO_CREATE = "auto.create.topics.enable";
  private static final DescribeTopicsOptions WITH_RIGHTS =
      new DescribeTopicsOptions().includeAuthorizedOperations(true);

  private final EdgeConfig config;
  private final String topic;
  private final Health health;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread = new Thread(this::run, "edge-log-watch");
  private volatile LogState state = LogState.away(Refusal.LOG_UNAVAILABLE);
  private volatile long appendedNanos = System.nanoTime();
  private final LogCheck check; // of the thread, as all that follows
  private Admin admin;
  private boolean brokersAsked;
  private String told = "";

  /** A watch that is yet to be started. */
  LogWatch(EdgeConfig config, Health health) {
    this.config = config;
    this.topic = config.topics().log();
    this.health = health;
    this.check = new LogCheck(config.requestBytesMax());
    health.require(CONDITION);
  }

  void start() {
    thread.setDaemon(true);
    thread.start();
  }

  /** How the log is, as far as is known. */
  LogState state() {
    return state;
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
          (state.partitions() > 0 ? WHEN_WELL : WHEN_NOT).toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      state = LogState.away(Refusal.LOG_UNAVAILABLE);
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
    } catch (LogCheck.Problem e) {
      unwell(e.refusal(), e.getMessage());
    } catch (RetriableException e) {
      // A log that appends is well, whatever this connection met.
      if (state.partitions() == 0 || appendedNanos - begun < 0) {
        unwell(Refusal.LOG_UNAVAILABLE, "no broker of " + config.bootstrapServers() + " answers");
      }
    } catch (RuntimeException e) {
      unwell(Refusal.LOG_UNAVAILABLE, e.toString());
    }
  }

  private void well(int count) {
    health.met(CONDITION);
    if (!told.isEmpty()) {
      LOG.info("the log {} is well again: {} partitions", topic, count);
      told = "";
    }
    state = LogState.open(count);
  }

  private void unwell(Refusal refusal, String why) {
    state = LogState.away(refusal);
    health.unmet(CONDITION, why);
    if (!why.equals(told)) {
      LOG.error("nothing can be appended to the log: {}", why);
      told = why;
    }
  }

  private int look() throws InterruptedException, LogCheck.Problem {
    TopicDescription log = describe();
    int count = check.check(log, settings(new ConfigResource(ConfigResource.Type.TOPIC, topic)));
    askBrokers(log.partitions().get(0).leader());
    return count;
  }

  private TopicDescription describe() throws InterruptedException, LogCheck.Problem {
    try {
      return admin.describeTopics(List.of(topic), WITH_RIGHTS).topicNameValues().get(topic).get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        throw check.absent(topic);
      }
      KafkaException known = kafka(e);
      if (SendFault.of(known) == SendFault.DENIED) {
        throw LogCheck.denied(known);
      }
      throw known;
    }
  }

  /** Empty where they may not be read: not everyone may. */
  private Map<String, String> settings(ConfigResource of) throws InterruptedException {
    Map<String, String> settings = new HashMap<>();
    try {
      admin
          .describeConfigs(List.of(of))
          .values()
          .get(of)
          .get()
          .entries()
          .forEach(entry -> settings.put(entry.name(), entry.value()));
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RetriableException) {
        throw kafka(e);
      }
    }
    return settings;
  }

  /** Once: every client that asks for the topic of a log that is gone would make it, and empty. */
  private void askBrokers(Node leader) throws InterruptedException {
    if (brokersAsked) {
      return;
    }
    Map<String, String> broker =
        settings(new ConfigResource(ConfigResource.Type.BROKER, leader.idString()));
    brokersAsked = true;
    if (Boolean.parseBoolean(broker.get(AUTO_CREATE))) {
      LOG.warn(
          "the brokers make topics by themselves ({}=true): a log that is deleted may come back, empty",
          AUTO_CREATE);
    }
  }

  private static KafkaException kafka(ExecutionException e) {
    return e.getCause() instanceof KafkaException known ? known : new KafkaException(e.getCause());
  }
}
