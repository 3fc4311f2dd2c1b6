package dev.tocsin.engine;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Severity;
import java.util.List;
import java.util.Map;

/**
 * An alert for tests: a condition in a group, both by a name. Unless told otherwise P3, of group
 * "g", routed by its group, without an id of the client's, fired when it is sent, open-ended.
 */
record Sighting(
    String condition,
    String group,
    AlertStatus status,
    Severity severity,
    String id,
    String via,
    long firedAtMs,
    long endsAtMs) {
  static Sighting firing(String condition) {
    return new Sighting(condition, "g", AlertStatus.FIRING, Severity.P3, "", "", -1, 0);
  }

  static Sighting ended(String condition) {
    return new Sighting(condition, "g", AlertStatus.ENDED, Severity.P3, "", "", -1, 0);
  }

  Sighting in(String anyGroup) {
    return new Sighting(condition, anyGroup, status, severity, id, via, firedAtMs, endsAtMs);
  }

  Sighting as(Severity any) {
    return new Sighting(condition, group, status, any, id, via, firedAtMs, endsAtMs);
  }

  Sighting id(String any) {
    return new Sighting(condition, group, status, severity, any, via, firedAtMs, endsAtMs);
  }

  Sighting via(String anyRoute) {
    return new Sighting(condition, group, status, severity, id, anyRoute, firedAtMs, endsAtMs);
  }

  Sighting firedAt(long ms) {
    return new Sighting(condition, group, status, severity, id, via, ms, endsAtMs);
  }

  Sighting endsAt(long ms) {
    return new Sighting(condition, group, status, severity, id, via, firedAtMs, ms);
  }

  /** The alert, as the edge would append it. */
  Alert alert(long sentAtMs) {
    return Alert.newBuilder()
        .setWorkspace("w")
        .setSource("s-" + group)
        .setAlertId(id.isEmpty() ? "made-by-the-edge" : id)
        .setStatus(status)
        .setFingerprint(key(condition))
        .setGroup(key(group))
        .setRoute(routeHash())
        .setReceipt(id.isEmpty() ? null : key(id + " " + status + " " + routeHash()))
        .setTitle("title of " + condition)
        .setDescription("description of " + condition)
        .setSeverity(severity)
        .setType(IncidentType.APPLICATION)
        .setLabels(Map.of("service", group))
        .setAnnotations(Map.of("runbook", condition))
        .setAffectedResources(List.of("host-" + condition))
        .setFiredAtMs(firedAtMs < 0 ? sentAtMs : firedAtMs)
        .setEndsAtMs(endsAtMs)
        .setReceivedAtMs(sentAtMs)
        .build();
  }

  private long routeHash() {
    return new KeyEncoder().begin('r').put(via.isEmpty() ? group : via).hash64();
  }

  static Key128 key(String name) {
    return new KeyEncoder().begin('k').put(name).hash128();
  }
}
