package dev.tocsin.ingest;

import dev.tocsin.engine.Stamper;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertsEntry;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntry;
import java.util.List;

/** A valid alert, onto the log and off again. */
final class RoundTrip {
  private static final Codec<LogEntry> CODEC = Codec.of(LogEntry.class);

  private RoundTrip() {}

  static Alert of(Stamper stamper, AlertMessage alert, long nowMs) {
    AlertEncoder.Encoded encoded =
        AlertEncoder.encode(stamper, alert, AlertEncoder.alertId(alert), "default", nowMs);
    byte[] entry = AlertsEntry.join(1, List.of(encoded.bytes()));
    var alerts = (dev.tocsin.schemas.Alerts) CODEC.decode(entry).getPayload();
    return alerts.getAlerts().get(0);
  }
}
