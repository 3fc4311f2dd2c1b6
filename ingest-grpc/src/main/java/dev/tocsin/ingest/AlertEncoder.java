package dev.tocsin.ingest;

import com.google.protobuf.Timestamp;
import dev.tocsin.engine.Stamper;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.AlertsEntry;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Severity;
import java.util.UUID;

/**
 * Turns a valid message into the bytes that the log takes, stamped with its keys.
 *
 * <p>Thread-safe.
 */
final class AlertEncoder {
  /**
   * An alert as the log takes it.
   *
   * @param rulesVersion under which it is stamped
   * @param route which decides its partition
   * @param bytes as {@link AlertsEntry#encode} gives them; nobody changes them
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Encoded(int rulesVersion, Key128 fingerprint, long route, byte[] bytes) {}

  // The enums of alerts.proto and tocsin.avdl list the same things in the same order.
  private static final Severity[] SEVERITIES = Severity.values();
  private static final IncidentType[] TYPES = IncidentType.values();

  private AlertEncoder() {}

  /** The alert id that {@code message} goes by: its own, or a new one. */
  static String alertId(AlertMessage message) {
    return message.getAlertId().isEmpty() ? UUID.randomUUID().toString() : message.getAlertId();
  }

  /**
   * Encodes a message that the validator accepted.
   *
   * @param stamper of the rules that are active now
   * @param alertId as {@link #alertId} gave it
   * @param receivedAtMs which stands in for a fired_at that is left out
   */
  static Encoded encode(
      Stamper stamper, AlertMessage message, String alertId, String workspace, long receivedAtMs) {
    Alert alert = new Alert();
    alert.setWorkspace(workspace);
    alert.setSource(message.getSource());
    alert.setAlertId(alertId);
    alert.setStatus(
        message.getStatus() == AlertMessage.Status.RESOLVED
            ? AlertStatus.ENDED
            : AlertStatus.FIRING);
    alert.setTitle(message.getTitle());
    alert.setDescription(message.getDescription());
    alert.setSeverity(SEVERITIES[message.getSeverityValue()]);
    alert.setType(TYPES[message.getTypeValue()]);
    alert.setLabels(message.getLabelsMap());
    alert.setAnnotations(message.getAnnotationsMap());
    alert.setAffectedResources(message.getAffectedResourcesList());
    alert.setFiredAtMs(message.hasFiredAt() ? ms(message.getFiredAt()) : receivedAtMs);
    alert.setEndsAtMs(message.hasEndsAt() ? ms(message.getEndsAt()) : 0);
    alert.setReceivedAtMs(receivedAtMs);
    stamper.stamp(alert, message.getDedupKey(), !message.getAlertId().isEmpty());
    return new Encoded(
        stamper.rulesVersion(),
        alert.getFingerprint(),
        alert.getRoute(),
        AlertsEntry.encode(alert));
  }

  private static long ms(Timestamp time) {
    return time.getSeconds() * 1000 + time.getNanos() / 1_000_000;
  }
}
