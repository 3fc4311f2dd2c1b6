package dev.tocsin.engine;

import dev.tocsin.engine.IncidentDraft.Cause;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LoggedAlert;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.ResolvedBy;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Tally;
import dev.tocsin.schemas.TimelineKind;

/** What one alert does. */
final class AlertFold {
  private final Stage stage;
  private final Cause cause;
  private final LoggedAlert alert;
  private final PartitionState counts;
  private final int stampedUnder;
  private final Key128 key;

  private AlertFold(Stage stage, Cause cause, LoggedAlert alert, int stampedUnder) {
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
  static void apply(Stage stage, Cause cause, LoggedAlert alert, int stampedUnder) {
    PartitionState counts = stage.state();
    counts.setAlerts(counts.getAlerts() + 1);
    if (alert.receipt() != null && stage.received(alert.receipt())) {
      counts.setRedelivered(counts.getRedelivered() + 1);
      return;
    }
    AlertEffect effect = new AlertFold(stage, cause, alert, stampedUnder).apply();
    if (alert.receipt() != null) {
      stage.receive(new Receipt(alert.receipt(), cause.offset(), cause.index(), effect));
    }
  }

  private AlertEffect apply() {
    FingerprintState condition = stage.fingerprint(key);
    boolean ends = alert.status() == AlertStatus.ENDED || endsBefore(stage.now());
    if (alert.suppressed() && !(ends && isActive(condition))) {
      counts.setSuppressed(counts.getSuppressed() + 1);
      return AlertEffect.SUPPRESSED;
    }
    return ends ? end(condition) : fire(condition);
  }

  /**
   * What was active before its rule came to suppress it can still end: else its incident would stay
   * open until the silence is too long.
   */
  private boolean isActive(FingerprintState condition) {
    return condition != null && condition.getStatus() == AlertStatus.FIRING && isKnown(condition);
  }

  /** Whether its incident is open. Its tally says so: a repeat reads no more. */
  private boolean isKnown(FingerprintState condition) {
    Key128 id = incidentOf(condition);
    Tally tally = id == null ? null : Tallies.of(stage, id);
    return tally != null && Lifecycle.isOpen(tally.getState());
  }

  private AlertEffect fire(FingerprintState condition) {
    if (isKnown(condition)) {
      return repeat(condition, condition.getIncident());
    }
    if (Conditions.muted(stage, condition)) {
      if (Conditions.overdue(stage, condition)) {
        // Its end was left for later. Muted, it would be put off for as long as alerts come.
        TimerFold.end(stage, cause, key, condition);
        return fire(stage.fingerprint(key));
      }
      counts.setMuted(counts.getMuted() + 1);
      seen(condition, condition.getIncident(), condition.getSeverity());
      return AlertEffect.MUTED;
    }
    if (Conditions.outdated(condition, alert.firedAtMs())) {
      counts.setStale(counts.getStale() + 1);
      return AlertEffect.STALE;
    }
    return admit(condition);
  }

  /**
   * A condition of an open incident, seen again. Only if it had ended, or is worse than it ever was
   * there, is that a change. One that is as bad as it was does not make the incident worse, for
   * then a person has said otherwise.
   */
  private AlertEffect repeat(FingerprintState condition, Key128 incident) {
    Tallies.count(stage, incident);
    boolean ended = condition.getStatus() == AlertStatus.ENDED;
    if (ended && Conditions.outdated(condition, alert.firedAtMs())) {
      Tallies.repeat(stage, cause, incident);
      return AlertEffect.REPEATED;
    }
    boolean worse = IncidentDraft.worse(alert.severity(), condition.getSeverity());
    seen(condition, incident, ended || worse ? alert.severity() : condition.getSeverity());
    if (ended) {
      draft(incident).refire(alert.whole()).done();
      return AlertEffect.REFIRED;
    }
    if (worse && IncidentDraft.worse(alert.severity(), severityOf(incident))) {
      draft(incident).raise(alert.severity()).done();
    } else {
      Tallies.repeat(stage, cause, incident);
    }
    return AlertEffect.REPEATED;
  }

  /**
   * A condition that no open incident knows: joins its group's incident, reopens it, or opens a new
   * one.
   */
  private AlertEffect admit(FingerprintState condition) {
    GroupState group = stage.group(alert.group());
    Incident newest = group == null ? null : stage.incident(group.getIncident());
    IncidentDraft draft;
    AlertEffect effect;
    if (newest != null && Lifecycle.isOpen(newest)) {
      effect = AlertEffect.JOINED;
      draft = IncidentDraft.of(stage, cause, newest).join(alert.whole());
    } else if (newest != null && mayReopen(stage, newest)) {
      effect = AlertEffect.REOPENED;
      draft = IncidentDraft.of(stage, cause, newest).reopen();
      draft =
          newest.getId().equals(incidentOf(condition))
              ? draft.refire(alert.whole())
              : draft.join(alert.whole());
    } else {
      effect = AlertEffect.OPENED;
      draft = IncidentDraft.open(stage, cause, alert.whole(), stampedUnder).join(alert.whole());
    }
    seen(condition, draft.incident().getId(), alert.severity());
    Tallies.count(stage, draft.incident().getId());
    draft.done();
    return effect;
  }

  /**
   * The end of a condition. One that nobody knew is remembered, so that its FIRING, coming late,
   * opens nothing. The incident of a muted one learns of it too, as long as it is kept.
   */
  private AlertEffect end(FingerprintState condition) {
    Conditions.ended(stage, key, condition, endedAtMs(), alert.rule());
    if (condition == null || condition.getStatus() == AlertStatus.ENDED) {
      counts.setUnmatched(counts.getUnmatched() + 1);
      return AlertEffect.UNMATCHED;
    }
    counts.setResolved(counts.getResolved() + 1);
    Incident incident = stage.incident(condition.getIncident());
    if (incident != null) {
      IncidentDraft.of(stage, cause, incident)
          .end(TimelineKind.ALERT_RESOLVED, alert.whole().getTitle())
          .done();
    }
    return AlertEffect.RESOLVED_CONDITION;
  }

  private void seen(FingerprintState before, Key128 incident, Severity worst) {
    Conditions.seen(stage, key, before, alert, incident, worst);
  }

  private boolean endsBefore(long atMs) {
    return alert.endsAtMs() != 0 && alert.endsAtMs() <= atMs;
  }

  /**
   * By the source's clock, but never ahead of fold time: no source can silence its condition for
   * the time to come.
   */
  private long endedAtMs() {
    return Math.min(stage.now(), endsBefore(stage.now()) ? alert.endsAtMs() : alert.firedAtMs());
  }

  /** Whether an alert of its group would reopen it, if there is none newer. */
  static boolean mayReopen(Stage stage, Incident incident) {
    return incident.getState() == IncidentState.RESOLVED
        && incident.getResolvedBy() == ResolvedBy.ALERTS
        && stage.now() - incident.getResolvedAtMs()
            <= stage.rules(incident.getRule()).getReopenWindowMs();
  }

  private IncidentDraft draft(Key128 incident) {
    return IncidentDraft.of(stage, cause, stage.incident(incident));
  }

  private Severity severityOf(Key128 incident) {
    return Tallies.of(stage, incident).getSeverity();
  }

  private static Key128 incidentOf(FingerprintState condition) {
    return condition == null ? null : condition.getIncident();
  }
}
