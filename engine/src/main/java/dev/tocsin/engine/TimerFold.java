package dev.tocsin.engine;

import dev.tocsin.engine.IncidentDraft.Cause;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.TimelineKind;

/** What a timer brings about when it is due: it looks at the state, and acts or arms again. */
final class TimerFold {
  /** The version of the engine; logs from before it are folded with the events that they had. */
  private static final int REMOVALS_PUBLISHED_SINCE = 2;

  /** Timers may be settled late. */
  static final int LATE_SINCE = 3;

  private final Stage stage;
  private final Cause cause;
  private final Timer timer;

  private TimerFold(Stage stage, Cause cause, Timer timer) {
    this.stage = stage;
    this.cause = cause;
    this.timer = timer;
  }

  /** Returns how many incidents it had to look at beside the one that most timers are about. */
  static int apply(Stage stage, Cause cause, Timer timer) {
    stage.disarm(timer);
    TimerFold fold = new TimerFold(stage, cause, timer);
    switch (timer.kind()) {
      case CONDITION -> fold.condition();
      case INCIDENT -> fold.incident();
      case TALLY -> Tallies.due(stage, cause, timer.about());
      case OUTCOME -> Outcomes.due(stage, timer);
      case FLAPPING -> Flapping.due(stage, cause, timer);
      case SILENCE -> {
        return Silences.due(stage, cause, timer);
      }
      case INHIBITION -> {
        return Inhibitions.due(stage, cause, timer);
      }
    }
    return 0;
  }

  /**
   * The timer has gone without having brought it about. What comes next sets another, where
   * anything does: an incident is not closed by itself any more, an outcome not forgotten, and a
   * silence neither begins nor ends.
   */
  static void dropped(Stage stage, Timer timer) {
    switch (timer.kind()) {
      case TALLY -> Tallies.dropped(stage, timer.about());
      case FLAPPING -> Flapping.dropped(stage, timer.about());
      case INHIBITION -> Inhibitions.dropped(stage, timer.about());
      case CONDITION, INCIDENT, OUTCOME, SILENCE -> {}
    }
  }

  /** Does what the timer of a condition that is overdue would have done. */
  static void end(Stage stage, Cause cause, Key128 key, FingerprintState condition) {
    long dueMs = Conditions.dueMs(condition, stage.rules(condition.getRule()));
    apply(stage, Cause.time(cause.offset()), new Timer(dueMs, Timer.Kind.CONDITION, key));
  }

  private void condition() {
    FingerprintState condition = stage.fingerprint(timer.about());
    if (condition == null) {
      return;
    }
    Incident incident =
        condition.getIncident() == null ? null : stage.incident(condition.getIncident());
    boolean open = incident != null && Lifecycle.isOpen(incident);
    Rules rules = stage.rules(condition.getRule());
    boolean due = Conditions.dueMs(condition, rules) <= timer.dueMs();
    if (condition.getStatus() == AlertStatus.ENDED) {
      // It stays as long as its incident is open, or may be again: else it would be counted as
      // another one when it fires again.
      if (due && !open && !(incident != null && AlertFold.mayReopen(stage, incident))) {
        stage.put(timer.about(), (FingerprintState) null);
      } else {
        again(condition, due ? rules.getAutoResolveAfterMs() : 0);
      }
    } else if (due) {
      expire(condition, incident);
    } else {
      again(condition, 0);
    }
  }

  private void expire(FingerprintState condition, Incident incident) {
    boolean announced = condition.getEndsAtMs() != 0 && condition.getEndsAtMs() <= timer.dueMs();
    Conditions.ended(
        stage,
        timer.about(),
        condition,
        announced ? condition.getEndsAtMs() : 0,
        condition.getRule());
    if (incident != null) {
      IncidentDraft.of(stage, cause, incident)
          .end(announced ? TimelineKind.ALERT_RESOLVED : TimelineKind.ALERT_EXPIRED, "")
          .done();
    }
  }

  private void again(FingerprintState condition, long laterMs) {
    FingerprintState after = Copies.of(condition);
    long seenMs = condition.getLastSeenMs() + laterMs;
    // One that was left for long does not come again for each time that has passed since.
    boolean atOnce = laterMs > 0 && stage.isSince(LATE_SINCE);
    after.setLastSeenMs(atOnce ? Math.max(seenMs, stage.now()) : seenMs);
    Conditions.keep(stage, timer.about(), condition, after);
  }

  private void incident() {
    Incident incident = stage.incident(timer.about());
    if (incident == null) {
      return;
    }
    Rules rules = stage.rules(incident.getRule());
    if (incident.getState() == IncidentState.RESOLVED) {
      long dueMs = incident.getResolvedAtMs() + rules.getCloseAfterMs();
      if (dueMs <= timer.dueMs()) {
        IncidentDraft.of(stage, cause, incident).close().done();
      } else {
        stage.arm(new Timer(dueMs, Timer.Kind.INCIDENT, timer.about()));
      }
    } else if (incident.getState() == IncidentState.CLOSED) {
      long dueMs = incident.getClosedAtMs() + rules.getRetentionMs();
      if (dueMs <= timer.dueMs()) {
        remove(incident);
      } else {
        stage.arm(new Timer(dueMs, Timer.Kind.INCIDENT, timer.about()));
      }
    }
  }

  private void remove(Incident incident) {
    Key128 id = incident.getId();
    if (stage.isSince(REMOVALS_PUBLISHED_SINCE)) {
      Tallies.publish(stage, cause, EventType.REMOVED, incident, Tallies.Before.of(incident));
    }
    stage.put(id, (Incident) null);
    stage.put(id, (dev.tocsin.schemas.Tally) null);
    GroupState group = stage.group(incident.getGroup());
    if (group != null && group.getIncident().equals(id)) {
      stage.put(incident.getGroup(), (GroupState) null);
    }
  }
}
