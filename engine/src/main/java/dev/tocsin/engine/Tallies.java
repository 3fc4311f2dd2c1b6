package dev.tocsin.engine;

import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Tally;

/**
 * Counting and publishing. A repeat is published at once if the last publication is long enough
 * ago; else a timer sees to it, so that the last value always comes.
 */
final class Tallies {
  private Tallies() {}

  /** Of an incident without alerts. It was seen when it was opened. */
  static void begin(Stage stage, Incident incident) {
    stage.put(incident.getId(), new Tally(0L, stage.now(), 0L, 0L, false));
  }

  /** One alert more. */
  static void count(Stage stage, Incident incident) {
    Tally before = stage.tally(incident.getId());
    Tally after = before == null ? new Tally(0L, 0L, 0L, 0L, false) : Copies.of(before);
    after.setOccurrences(after.getOccurrences() + 1);
    after.setLastSeenMs(stage.now());
    stage.put(incident.getId(), after);
    stage.state().setOccurrences(stage.state().getOccurrences() + 1);
  }

  /** Publishes a mere repeat, now or by a timer. */
  static void repeat(Stage stage, IncidentDraft.Cause cause, Incident incident) {
    Tally tally = stage.tally(incident.getId());
    long dueMs =
        tally.getPublishedAtMs() + stage.rules(incident.getRule()).getOccurrenceIntervalMs();
    if (dueMs <= stage.now()) {
      publish(stage, cause, EventType.OCCURRED, incident, Before.of(incident));
    } else if (!tally.getPublishArmed()) {
      Tally armed = Copies.of(tally);
      armed.setPublishArmed(true);
      stage.put(incident.getId(), armed);
      stage.arm(new Timer(dueMs, Timer.Kind.TALLY, incident.getId()));
    }
  }

  /** The timer of {@link #repeat} is due. */
  static void due(Stage stage, IncidentDraft.Cause cause, Incident incident) {
    Tally tally = Copies.of(stage.tally(incident.getId()));
    tally.setPublishArmed(false);
    stage.put(incident.getId(), tally);
    if (tally.getOccurrences() != tally.getPublishedOccurrences()) {
      publish(stage, cause, EventType.OCCURRED, incident, Before.of(incident));
    }
  }

  /** What subscribers could choose an incident by before it changed. */
  record Before(IncidentState state, Severity severity) {
    /** There was none. */
    static final Before NOTHING = new Before(IncidentState.NONE, Severity.UNSPECIFIED);

    static Before of(Incident incident) {
      return new Before(incident.getState(), incident.getSeverity());
    }
  }

  /** Publishes the incident with its tally. */
  static void publish(
      Stage stage, IncidentDraft.Cause cause, EventType type, Incident incident, Before before) {
    Tally tally = Copies.of(stage.tally(incident.getId()));
    tally.setPublishedOccurrences(tally.getOccurrences());
    tally.setPublishedAtMs(stage.now());
    stage.put(incident.getId(), tally);
    long sequence = stage.state().getSequence() + 1;
    stage.state().setSequence(sequence);
    stage
        .changes()
        .events
        .add(
            new IncidentEvent(
                type,
                cause.offset(),
                sequence,
                stage.now(),
                incident,
                tally.getOccurrences(),
                tally.getLastSeenMs(),
                before.state(),
                before.severity()));
  }
}
