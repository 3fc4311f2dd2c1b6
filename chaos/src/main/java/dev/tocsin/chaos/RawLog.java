package dev.tocsin.chaos;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Topics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Puts on the log what no part of Tocsin would. Of one thread. */
final class RawLog {
  private static final int SENT_MAX_SECONDS = 30;
  private static final Codec<LogEntry> ENTRIES = Codec.of(LogEntry.class);

  /** What is wrong with a record's bytes. */
  enum Damage {
    BAD_MAGIC,
    TRUNCATED,
    EMPTY,
    NULL
  }

  /**
   * A record that is to become a dead letter.
   *
   * @param value null where the record has none
   */
  record Corrupt(int partition, long offset, ByteBuffer value) {}

  private final Map<String, Object> settings;
  private final Topics topics;
  private final List<Corrupt> corrupt = new CopyOnWriteArrayList<>();
  private KafkaProducer<byte[], byte[]> open;

  RawLog(String bootstrap, Topics topics) {
    this.topics = topics;
    this.settings = new HashMap<>();
    settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    settings.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    settings.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
  }

  /** Every corrupt record that was appended. */
  List<Corrupt> corrupt() {
    return corrupt;
  }

  /** Appends a record that nobody can ever read. */
  Corrupt append(Damage damage, int partition) throws IOException, InterruptedException {
    byte[] value = bytes(damage);
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings)) {
      long offset = send(producer, partition, value).offset();
      Corrupt appended =
          new Corrupt(partition, offset, value == null ? null : ByteBuffer.wrap(value));
      corrupt.add(appended);
      return appended;
    }
  }

  /** Begins a transaction, and leaves an alert in it that must never take effect. */
  void begin(int partition) throws IOException, InterruptedException {
    Map<String, Object> transactional = new HashMap<>(settings);
    transactional.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "somebody-" + UUID.randomUUID());
    open = new KafkaProducer<>(transactional);
    open.initTransactions();
    open.beginTransaction();
    send(open, partition, entry());
  }

  /** Aborts the transaction. */
  void abort() {
    try (KafkaProducer<byte[], byte[]> producer = open) {
      producer.abortTransaction();
    }
  }

  private RecordMetadata send(KafkaProducer<byte[], byte[]> producer, int partition, byte[] value)
      throws IOException, InterruptedException {
    try {
      return producer
          .send(new ProducerRecord<>(topics.log(), partition, null, value))
          .get(SENT_MAX_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException("a record could not be put on the log", e);
    }
  }

  static byte[] bytes(Damage damage) {
    byte[] entry = entry();
    return switch (damage) {
      case BAD_MAGIC -> {
        entry[0] ^= (byte) 0xFF;
        yield entry;
      }
      case TRUNCATED -> Arrays.copyOf(entry, entry.length * 2 / 3);
      case EMPTY -> new byte[0];
      case NULL -> null;
    };
  }

  /** An alert of a group that the load does not have: if it took effect, that would show. */
  private static byte[] entry() {
    UUID key = UUID.randomUUID();
    Alert alert =
        Alert.newBuilder()
            .setWorkspace("default")
            .setSource("nobody")
            .setAlertId(key.toString())
            .setStatus(AlertStatus.FIRING)
            .setFingerprint(key(key))
            .setGroup(key(key))
            .setRoute(key.getLeastSignificantBits())
            .setTitle("must never be seen")
            .setSeverity(Severity.P0)
            .setType(IncidentType.APPLICATION)
            .setFiredAtMs(System.currentTimeMillis())
            .build();
    return ENTRIES.encode(LogEntries.of(new Alerts(1, List.of(alert))));
  }

  private static Key128 key(UUID from) {
    return new Key128(
        ByteBuffer.allocate(16)
            .putLong(from.getMostSignificantBits())
            .putLong(from.getLeastSignificantBits())
            .array());
  }
}
