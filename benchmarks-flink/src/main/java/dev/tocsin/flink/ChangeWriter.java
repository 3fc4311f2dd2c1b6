package dev.tocsin.flink;

import java.nio.charset.StandardCharsets;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Writes a change as a JSON object, under its incident's id. */
final class ChangeWriter implements KafkaRecordSerializationSchema<IncidentChange> {
  private final String topic;

  ChangeWriter(String topic) {
    this.topic = topic;
  }

  @Override
  public ProducerRecord<byte[], byte[]> serialize(
      IncidentChange change, KafkaSinkContext context, Long timestamp) {
    return new ProducerRecord<>(topic, bytes(change.incident), bytes(json(change)));
  }

  private static String json(IncidentChange change) {
    return "{\"type\":\""
        + (change.opened ? "OPENED" : "JOINED")
        + "\",\"incident\":\""
        + change.incident
        + "\",\"fingerprint\":\""
        + Long.toHexString(change.fingerprintHigh)
        + '-'
        + Long.toHexString(change.fingerprintLow)
        + "\",\"severity\":"
        + change.severity
        + ",\"firstSeenMs\":"
        + change.firstSeenMs
        + ",\"lastSeenMs\":"
        + change.lastSeenMs
        + ",\"occurrences\":"
        + change.occurrences
        + '}';
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
