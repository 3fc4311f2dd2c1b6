package dev.tocsin.processor;

import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Stamper;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Partitions;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Topics;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Appends to a log as an edge does. */
final class TestLog implements AutoCloseable {
  static final int PARTITIONS = 3;
  private static final Codec<LogEntry> CODEC = Codec.of(LogEntry.class);
  private static final Stamper STAMPER = new Stamper(DefaultRules.read());

  private final Topics topics;
  private final KafkaProducer<byte[], byte[]> producer;

  TestLog(Topics topics, Map<String, String> kafka) {
    this.topics = topics;
    this.producer =
        new KafkaProducer<>(
            Map.copyOf(kafka), new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** An alert of a service; stamped. */
  static Alert alert(String id, String service, String title) {
    return alert(id, service, title, AlertStatus.FIRING);
  }

  static Alert alert(String id, String service, String title, AlertStatus status) {
    Alert alert =
        Alert.newBuilder()
            .setWorkspace("default")
            .setSource("test")
            .setAlertId(id)
            .setStatus(status)
            .setTitle(title)
            .setSeverity(Severity.P2)
            .setType(IncidentType.APPLICATION)
            .setLabels(Map.of("service", service))
            .setFiredAtMs(System.currentTimeMillis())
            .setFingerprint(new dev.tocsin.schemas.Key128(new byte[16]))
            .setGroup(new dev.tocsin.schemas.Key128(new byte[16]))
            .setRoute(0)
            .build();
    STAMPER.stamp(alert, "", true);
    return alert;
  }

  static byte[] entry(Alert... alerts) {
    return CODEC.encode(LogEntries.of(new Alerts(1, List.of(alerts))));
  }

  static int partition(Alert alert) {
    return Partitions.of(alert.getRoute(), PARTITIONS);
  }

  /** Appends an entry of one alert, and gives its offset. */
  long append(Alert alert) throws Exception {
    return append(partition(alert), entry(alert));
  }

  long append(int partition, byte[] value) throws Exception {
    return producer.send(new ProducerRecord<>(topics.log(), partition, null, value)).get().offset();
  }

  /** Appends without waiting. */
  Future<RecordMetadata> send(int partition, byte[] value) {
    return producer.send(new ProducerRecord<>(topics.log(), partition, null, value));
  }

  @Override
  public void close() {
    producer.close();
  }
}
