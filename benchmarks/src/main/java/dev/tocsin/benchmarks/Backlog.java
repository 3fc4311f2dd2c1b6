package dev.tocsin.benchmarks;

import dev.tocsin.ingest.EdgeWork;
import dev.tocsin.schemas.AlertsEntry;
import dev.tocsin.schemas.Partitions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Puts alerts on the log as edges under load do, in entries of 500, and, if it is asked to, the
 * same alerts on another topic, each a record of its own with its fingerprint as the key.
 */
final class Backlog {
  /** As an edge has it, {@code edge.entry-alerts-max}. */
  private static final int ENTRY_ALERTS = 500;

  private final Map<String, String> kafka;
  private final String log;
  private final Optional<String> single;
  private final int partitions;

  Backlog(Map<String, String> kafka, String log, Optional<String> single, int partitions) {
    this.kafka = kafka;
    this.log = log;
    this.single = single;
    this.partitions = partitions;
  }

  void write(AlertSource source, long alerts) throws IOException, InterruptedException {
    awaitLeaders();
    EdgeWork edge = new EdgeWork();
    AtomicReference<Exception> failure = new AtomicReference<>();
    Callback done = (metadata, error) -> failure.compareAndSet(null, error);
    List<List<byte[]>> collecting = new ArrayList<>();
    for (int i = 0; i < partitions; i++) {
      collecting.add(new ArrayList<>());
    }
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings())) {
      int rulesVersion = 0;
      for (long i = 0; i < alerts && failure.get() == null; i++) {
        EdgeWork.Stamped alert = edge.stamp(source.next());
        rulesVersion = alert.rulesVersion();
        if (single.isPresent()) {
          send(
              producer,
              new ProducerRecord<>(single.get(), alert.fingerprint(), alert.bytes()),
              done);
        }
        int partition = Partitions.of(alert.route(), partitions);
        List<byte[]> entry = collecting.get(partition);
        entry.add(alert.bytes());
        if (entry.size() == ENTRY_ALERTS) {
          send(producer, partition, rulesVersion, entry, done);
        }
      }
      for (int partition = 0; partition < partitions; partition++) {
        if (!collecting.get(partition).isEmpty()) {
          send(producer, partition, rulesVersion, collecting.get(partition), done);
        }
      }
    }
    if (failure.get() != null) {
      throw new IOException("the backlog could not be written", failure.get());
    }
  }

  /**
   * Where a topic has just been made, an idempotent producer may begin before a partition has its
   * leader, and then be refused for good: the broker finds its numbers out of order.
   */
  private void awaitLeaders() throws IOException, InterruptedException {
    try (Admin admin = Admin.create(Map.<String, Object>copyOf(kafka))) {
      var unused = new GroupProgress(admin, log, partitions);
      if (single.isPresent()) {
        unused = new GroupProgress(admin, single.get(), partitions);
      }
    }
  }

  private void send(
      KafkaProducer<byte[], byte[]> producer,
      int partition,
      int rulesVersion,
      List<byte[]> alerts,
      Callback done) {
    byte[] entry = AlertsEntry.join(rulesVersion, alerts);
    send(producer, new ProducerRecord<>(log, partition, null, entry), done);
    alerts.clear();
  }

  private static void send(
      KafkaProducer<byte[], byte[]> producer, ProducerRecord<byte[], byte[]> bytes, Callback done) {
    var unused = producer.send(bytes, done);
  }

  private Map<String, Object> settings() {
    Map<String, Object> all = new HashMap<>(kafka);
    all.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    all.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    all.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, 5 << 20);
    all.put(ProducerConfig.BATCH_SIZE_CONFIG, 256 << 10);
    all.put(ProducerConfig.LINGER_MS_CONFIG, 5);
    return all;
  }
}
