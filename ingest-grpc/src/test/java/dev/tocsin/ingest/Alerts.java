package dev.tocsin.ingest;

import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.IncidentType;
import dev.tocsin.proto.alerts.Severity;

/** Alerts to test with. */
final class Alerts {
  private Alerts() {}

  /** A valid alert under its own id. */
  static AlertMessage.Builder alert(String id) {
    return AlertMessage.newBuilder()
        .setAlertId(id)
        .setSource("test")
        .setTitle("disk full")
        .setDescription("no room left on /var")
        .setSeverity(Severity.SEVERITY_P2)
        .setType(IncidentType.INCIDENT_TYPE_INFRASTRUCTURE)
        .putLabels("service", "billing")
        .putLabels("host", "db-1");
  }

  /** A valid alert of a service of its own, so that many spread over the partitions. */
  static AlertMessage of(String id, int service) {
    return alert(id).putLabels("service", "service-" + service).build();
  }
}
