package dev.tocsin.engine;

import dev.tocsin.engine.IncidentDraft.Cause;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.ResolvedBy;
import dev.tocsin.schemas.TimelineKind;

/** What one alert does. */
final class AlertFold {
  private final Stage stage;
  private final Cause cause;
  private final Alert alert;
  private final PartitionState counts;
  private final Key128 key;

  private AlertFold(Stage stage, Cause cause, Alert alert) {
    this.stage = stage;
    this.cause = cause;
    this.alert = alert;
    this.counts = stage.state();
    this.key = Conditions.key(alert);
  }

  static void apply(Stage stage, Cause cause, Alert alert) {
    PartitionState counts = stage.state();
    counts.setAlerts(counts.getAlerts() + 1);
    if (alert.getReceipt() != null && !stage.receive(alert.getReceipt())) {
      counts.setRedelivered(counts.getRedelivered() + 1);
      return;
    }
    new AlertFold(stage, cause, alert).apply();
  }

  private void apply() {
    FingerprintState condition = stage.fingerprint(key);
    boolean ends = alert.getStatus() == AlertStatus.ENDED || endsBefore(stage.now());
    if (alert.getSuppressed() && !(ends && isActive(condition))) {
      counts.setSuppressed(counts.getSuppressed() + 1);
    } else if (ends) {
      end(condition);
    } else {
      fire(condition);
    }
  }

  /**
   * What was active before its rule came to suppress it can still end: else its incident would stay
   * open until the silence is too long.
   */
  private boolean isActive(FingerprintState condition) {
    return condition != null
        && condition.getStatus() == AlertStatus.FIRING
        && open(condition.getIncident()) != null;
  }

  private void fire(FingerprintState condition) {
    Incident known = condition == null ? null : open(condition.getIncident());
    if (known != null) {
      repeat(condition, known);
    } else if (Conditions.muted(stage, condition)) {
      counts.setMuted(counts.getMuted() + 1);
      Conditions.seen(stage, key, condition, alert, condition.getIncident());
    } else if (Conditions.outdated(condition, alert.getFiredAtMs())) {
      counts.setStale(counts.getStale() + 1);
    } else {
      admit(condition);
    }
  }

  /**
   * A condition of an open incident, seen again. Only if it had ended, or is worse than it was, is
   * that a change.
   */
  private void repeat(FingerprintState condition, Incident incident) {
    Tallies.count(stage, incident);
    boolean ended = condition.getStatus() == AlertStatus.ENDED;
    if (ended && Conditions.outdated(condition, alert.getFiredAtMs())) {
      Tallies.repeat(stage, cause, incident);
      return;
    }
    Conditions.seen(stage, key, condition, alert, incident.getId());
    if (ended) {
      IncidentDraft.of(stage, cause, incident).refire(alert).done();
    } else if (IncidentDraft.worse(alert.getSeverity(), incident.getSeverity())) {
      IncidentDraft.of(stage, cause, incident).raise(alert.getSeverity()).done();
    } else {
      Tallies.repeat(stage, cause, incident);
    }
  }

  /**
   * A condition that no open incident knows: joins its group's incident, reopens it, or opens a new
   * one.
   */
  private void admit(FingerprintState condition) {
    GroupState group = stage.group(alert.getGroup());
    Incident newest = group == null ? null : stage.incident(group.getIncident());
    IncidentDraft draft;
    if (newest != null && Lifecycle.isOpen(newest)) {
      draft = IncidentDraft.of(stage, cause, newest).join(alert);
    } else if (newest != null && mayReopen(stage, newest)) {
      draft = IncidentDraft.of(stage, cause, newest).reopen();
      draft =
          newest.getId().equals(incidentOf(condition)) ? draft.refire(alert) : draft.join(alert);
    } else {
      draft = IncidentDraft.open(stage, cause, alert).join(alert);
    }
    Conditions.seen(stage, key, condition, alert, draft.incident().getId());
    Tallies.count(stage, draft.incident());
    draft.done();
  }

  /**
   * The end of a condition. One that nobody knew is remembered, so that its FIRING, coming late,
   * opens nothing. The incident of a muted one learns of it too, as long as it is kept.
   */
  private void end(FingerprintState condition) {
    Conditions.ended(stage, key, condition, endedAtMs(), alert.getRule());
    if (condition == null || condition.getStatus() == AlertStatus.ENDED) {
      counts.setUnmatched(counts.getUnmatched() + 1);
      return;
    }
    counts.setResolved(counts.getResolved() + 1);
    Incident incident = stage.incident(condition.getIncident());
    if (incident != null) {
      IncidentDraft.of(stage, cause, incident)
          .end(TimelineKind.ALERT_RESOLVED, alert.getTitle())
          .done();
    }
  }

  private boolean endsBefore(long atMs) {
    return alert.getEndsAtMs() != 0 && alert.getEndsAtMs() <= atMs;
  }

  /**
   * By the source's clock, but never ahead of fold time: no source can silence its condition for
   * the time to come.
   */
  private long endedAtMs() {
    return Math.min(
        stage.now(), endsBefore(stage.now()) ? alert.getEndsAtMs() : alert.getFiredAtMs());
  }

  /** Whether an alert of its group would reopen it, if there is none newer. */
  static boolean mayReopen(Stage stage, Incident incident) {
    return incident.getState() == IncidentState.RESOLVED
        && incident.getResolvedBy() == ResolvedBy.ALERTS
        && stage.now() - incident.getResolvedAtMs()
            <= stage.rules(incident.getRule()).getReopenWindowMs();
  }

  private Incident open(Key128 id) {
    Incident incident = id == null ? null : stage.incident(id);
    return incident != null && Lifecycle.isOpen(incident) ? incident : null;
  }

  private static Key128 incidentOf(FingerprintState condition) {
    return condition == null ? null : condition.getIncident();
  }
}
