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
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.TimelineKind;

/** What one alert does. */
final class AlertFold {
  private final Stage stage;
  private final Cause cause;
  private final Alert alert;
  private final PartitionState counts;
  private final int stampedUnder;
  private final Key128 key;

  private AlertFold(Stage stage, Cause cause, Alert alert, int stampedUnder) {
    this.stage = stage;
    this.cause = cause;
    this.alert = alert;
    this.counts = stage.state();
    this.stampedUnder = stampedUnder;
    this.key = Conditions.key(alert);
  }

  /**
   * Applies it.
   *
   * @param stampedUnder the version of the rules
   */
  static void apply(Stage stage, Cause cause, Alert alert, int stampedUnder) {
    PartitionState counts = stage.state();
    counts.setAlerts(counts.getAlerts() + 1);
    if (alert.getReceipt() != null && !stage.receive(alert.getReceipt())) {
      counts.setRedelivered(counts.getRedelivered() + 1);
      return;
    }
    new AlertFold(stage, cause, alert, stampedUnder).apply();
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
      seen(condition, condition.getIncident(), condition.getSeverity());
    } else if (Conditions.outdated(condition, alert.getFiredAtMs())) {
      counts.setStale(counts.getStale() + 1);
    } else {
      admit(condition);
    }
  }

  /**
   * A condition of an open incident, seen again. Only if it had ended, or is worse than it ever was
   * there, is that a change. One that is as bad as it was does not make the incident worse, for
   * then a person has said otherwise.
   */
  private void repeat(FingerprintState condition, Incident incident) {
    Tallies.count(stage, incident);
    boolean ended = condition.getStatus() == AlertStatus.ENDED;
    if (ended && Conditions.outdated(condition, alert.getFiredAtMs())) {
      Tallies.repeat(stage, cause, incident);
      return;
    }
    boolean worse = IncidentDraft.worse(alert.getSeverity(), condition.getSeverity());
    seen(
        condition,
        incident.getId(),
        ended || worse ? alert.getSeverity() : condition.getSeverity());
    if (ended) {
      IncidentDraft.of(stage, cause, incident).refire(alert).done();
    } else if (worse && IncidentDraft.worse(alert.getSeverity(), incident.getSeverity())) {
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
      draft = IncidentDraft.open(stage, cause, alert, stampedUnder).join(alert);
    }
    seen(condition, draft.incident().getId(), alert.getSeverity());
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

  private void seen(FingerprintState before, Key128 incident, Severity worst) {
    Conditions.seen(stage, key, before, alert, incident, worst);
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
