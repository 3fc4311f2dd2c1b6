package dev.tocsin.processor;

import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Fold;
import dev.tocsin.runtime.SchemaPublisher;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Topics;
import dev.tocsin.schemas.WriterSchema;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Makes the topics, with the settings that the guarantees need, and writes the first rules. Running
 * it again, or twice at once, or after it died half-way, comes to the same.
 */
public final class LogTopics {
  /**
   * The largest record: above the producers' {@code max.request.size} and far above gRPC's largest
   * message.
   */
  public static final int MESSAGE_BYTES_MAX = 6 << 20;

  private static final Duration READ_MAX = Duration.ofSeconds(30);
  private static final Duration ASK_AGAIN = Duration.ofMillis(50);
  private static final Map<String, String> COMPACTED = Map.of("cleanup.policy", "compact");

  private final Map<String, String> kafka;
  private final Topics topics;

  private LogTopics(Map<String, String> kafka, Topics topics) {
    this.kafka = kafka;
    this.topics = topics;
  }

  /**
   * Makes what is missing.
   *
   * @param kafka client settings; {@code bootstrap.servers} at least
   * @param partitions of the log, fixed for its life
   * @param replicas of each partition; from 3 on, two of them must be in sync for a write
   * @throws IllegalStateException if the log is there with another number of partitions
   * @throws KafkaException if the cluster does not do it
   */
  public static void create(
      Map<String, String> kafka, Topics topics, int partitions, int replicas) {
    LogTopics job = new LogTopics(kafka, topics);
    try (Admin admin = Admin.create(new HashMap<>(kafka))) {
      job.createTopics(admin, partitions, replicas);
    }
    job.writeFirstRules(partitions);
  }

  private void createTopics(Admin admin, int partitions, int replicas) {
    Map<String, String> log =
        Map.of(
            "message.timestamp.type", "LogAppendTime",
            "max.message.bytes", Integer.toString(MESSAGE_BYTES_MAX),
            "retention.ms", "-1");
    Map<String, String> events =
        Map.of("max.message.bytes", Integer.toString(MESSAGE_BYTES_MAX), "retention.ms", days(7));
    Map<String, String> deadLetters =
        Map.of(
            "max.message.bytes", Integer.toString(2 * MESSAGE_BYTES_MAX), "retention.ms", days(30));
    if (!create(admin, topic(topics.log(), partitions, replicas, log))) {
      checkPartitions(admin, partitions);
    }
    create(admin, topic(topics.events(), partitions, replicas, events));
    create(admin, topic(topics.deadLetters(), 1, replicas, deadLetters));
    create(admin, topic(topics.rules(), 1, replicas, COMPACTED));
    create(admin, topic(topics.schemas(), 1, replicas, COMPACTED));
  }

  private void checkPartitions(Admin admin, int partitions) {
    int found = partitions(admin);
    if (found != partitions) {
      throw new IllegalStateException(
          "%s has %d partitions, not %d: their number is fixed for a log's life"
              .formatted(topics.log(), found, partitions));
    }
  }

  /**
   * How many the log has. Asked again for a while where it is not known: what another instance made
   * just now may not have come to the broker that answers.
   */
  private int partitions(Admin admin) {
    long deadlineNs = System.nanoTime() + READ_MAX.toNanos();
    while (true) {
      try {
        return await(admin.describeTopics(List.of(topics.log())).allTopicNames())
            .get(topics.log())
            .partitions()
            .size();
      } catch (UnknownTopicOrPartitionException notYet) {
        if (System.nanoTime() > deadlineNs || Thread.currentThread().isInterrupted()) {
          throw notYet;
        }
        LockSupport.parkNanos(this, ASK_AGAIN.toNanos());
      }
    }
  }

  private static NewTopic topic(
      String name, int partitions, int replicas, Map<String, String> settings) {
    Map<String, String> all = new HashMap<>(settings);
    all.put("min.insync.replicas", inSyncMin(replicas));
    return new NewTopic(name, partitions, (short) replicas).configs(all);
  }

  /** How many replicas must have a record before it counts as written. */
  static String inSyncMin(int replicas) {
    return replicas >= 3 ? "2" : "1";
  }

  /** Whether it was made now; it may have been before, or by another instance at the same time. */
  private static boolean create(Admin admin, NewTopic topic) {
    try {
      await(admin.createTopics(List.of(topic)).all());
      return true;
    } catch (TopicExistsException already) {
      return false;
    }
  }

  /**
   * Activates version 1, and the newest version of the engine, in each partition, and only then
   * writes it to the rules topic: once it stands there, every partition has it. A second activation
   * of a version is ignored by the fold.
   */
  private void writeFirstRules(int partitions) {
    if (rulesWritten()) {
      return;
    }
    WriterSchema schema = WriterSchema.of(LogEntry.class);
    SchemaPublisher.publish(kafka, topics.schemas(), schema.key(), schema.json());
    Rules rules = DefaultRules.read();
    LogEntry first = LogEntries.of(new RulesActivated(rules));
    first.setEngineActivated(Fold.ENGINE_VERSION);
    byte[] activation = Codec.of(LogEntry.class).encode(first);
    Map<String, Object> settings = new HashMap<>(kafka);
    settings.put("acks", "all");
    try (var producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int partition = 0; partition < partitions; partition++) {
        await(producer.send(new ProducerRecord<>(topics.log(), partition, null, activation)));
      }
      byte[] version = Integer.toString(rules.getVersion()).getBytes(StandardCharsets.UTF_8);
      await(
          producer.send(
              new ProducerRecord<>(topics.rules(), version, Codec.of(Rules.class).encode(rules))));
    }
  }

  private boolean rulesWritten() {
    Map<String, Object> settings = new HashMap<>(kafka);
    settings.put("isolation.level", "read_committed");
    try (var consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      TopicPartition rules = new TopicPartition(topics.rules(), 0);
      consumer.assign(Set.of(rules));
      consumer.seekToBeginning(Set.of(rules));
      long end = consumer.endOffsets(Set.of(rules), READ_MAX).get(rules);
      long deadlineNs = System.nanoTime() + READ_MAX.toNanos();
      while (consumer.position(rules, READ_MAX) < end && System.nanoTime() < deadlineNs) {
        for (ConsumerRecord<byte[], byte[]> version : consumer.poll(Duration.ofMillis(200))) {
          if (version.value() != null) {
            return true;
          }
        }
      }
      return false;
    }
  }

  private static String days(int days) {
    return Long.toString(Duration.ofDays(days).toMillis());
  }

  private static <T> T await(Future<T> result) {
    try {
      return result.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof KafkaException known ? known : new KafkaException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("interrupted", e);
    }
  }
}
