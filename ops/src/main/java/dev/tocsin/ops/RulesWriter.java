package dev.tocsin.ops;

import dev.tocsin.engine.Fold;
import dev.tocsin.runtime.SchemaPublisher;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.RulesBook;
import dev.tocsin.schemas.WriterSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;

/**
 * One publication and activation. It goes in three steps, each durable before the next: the
 * version's record in the rules topic; an activation in every partition of the log; the record that
 * names the version as the active one, which edges wait for. So an alert that is stamped under a
 * version always stands behind that version's activation, and whoever comes after a writer that
 * died between two steps knows what is left to do.
 *
 * <p>Of all writers the one that was made last is the only one that the rules topic takes records
 * from (a transactional id fences the others), and it was made before it read the topic: so no two
 * ever publish the same version. What a fenced one still appends to the log is an activation of a
 * version that is active already, or about to be, which changes nothing.
 *
 * <p>Not thread-safe.
 */
final class RulesWriter implements AutoCloseable {
  /** Another writer has begun since. */
  static final class FencedException extends RuntimeException {
    FencedException(Throwable cause) {
      super("another activation began meanwhile", cause);
    }
  }

  private final OpsConfig config;
  private final KafkaProducer<byte[], byte[]> topic;

  /**
   * A writer that is the only one from now on, until there is a newer one. Publishes first what its
   * activations are written with, for processors that are older than it; blocks for that.
   *
   * @throws KafkaException if the cluster does not take it
   */
  RulesWriter(OpsConfig config) {
    this.config = config;
    WriterSchema schema = WriterSchema.of(LogEntry.class);
    SchemaPublisher.publish(config.kafka(), config.topics().schemas(), schema.key(), schema.json());
    this.topic = new KafkaProducer<>(config.rulesProducer());
    try {
      topic.initTransactions();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Makes a version known; it is not active yet. */
  void publish(Rules rules) {
    write(RulesBook.key(rules.getVersion()), Codec.of(Rules.class).encode(rules));
  }

  /** Activates a published version, in each partition and then by name. */
  void activate(Rules rules) {
    appendActivations(rules);
    nameActive(rules.getVersion());
  }

  /**
   * Activates in each partition, and with them the newest version of the engine that this software
   * has: a log that began under an older one has no other way to it. Doing it again changes
   * nothing.
   */
  void appendActivations(Rules rules) {
    LogEntry activation = LogEntries.of(new RulesActivated(rules));
    activation.setEngineActivated(Fold.ENGINE_VERSION);
    byte[] entry = Codec.of(LogEntry.class).encode(activation);
    String log = config.topics().log();
    try (var appender = new KafkaProducer<byte[], byte[]>(config.producer())) {
      List<Future<?>> sent = new ArrayList<>();
      for (PartitionInfo each : appender.partitionsFor(log)) {
        sent.add(appender.send(new ProducerRecord<>(log, each.partition(), null, entry)));
      }
      sent.forEach(RulesWriter::await);
    }
  }

  private void nameActive(int version) {
    write(RulesBook.activeKey(), RulesBook.activeValue(version));
  }

  private void write(byte[] key, byte[] value) {
    try {
      topic.beginTransaction();
      Future<?> sent = topic.send(new ProducerRecord<>(config.topics().rules(), 0, key, value));
      topic.commitTransaction();
      await(sent);
    } catch (KafkaException e) {
      throw isFenced(e) ? new FencedException(e) : e;
    }
  }

  @Override
  public void close() {
    topic.close(java.time.Duration.ZERO);
  }

  private static boolean isFenced(Throwable e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof org.apache.kafka.common.errors.ProducerFencedException
          || cause instanceof org.apache.kafka.common.errors.InvalidProducerEpochException) {
        return true;
      }
    }
    return false;
  }

  private static void await(Future<?> result) {
    try {
      result.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof KafkaException known ? known : new KafkaException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("interrupted", e);
    }
  }
}
