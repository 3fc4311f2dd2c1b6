package dev.tocsin.engine;

import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.ResolvedBy;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Tally;
import java.util.List;
import java.util.Map;

/**
 * Counting and publishing. A repeat is published at once if the last publication is long enough
 * ago; else a timer sees to it, so that the last value always comes.
 *
 * <p>A tally also has the little of its incident that a repeat asks for. It is set whenever the
 * incident changes.
 */
final class Tallies {
  /** The version of the engine: before it, a repeat was published with all of its incident. */
  private static final int SKETCHES_SINCE = 3;

  private static final Key128 NO_GROUP = new Key128(new byte[16]);

  private Tallies() {}

  /** Of an incident without alerts. It was seen when it was opened. */
  static void begin(Stage stage, Incident incident) {
    stage.put(incident.getId(), unseen(stage));
  }

  /** Of an incident that is kept, with what it says of that; null if there is none. */
  static Tally of(Stage stage, Key128 id) {
    Tally tally = stage.tally(id);
    if (tally != null && tally.getState() == IncidentState.NONE) {
      tally = stage.ownTally(id);
      describe(tally, stage.incident(id));
    }
    return tally;
  }

  /** One alert more. */
  static void count(Stage stage, Key128 id) {
    Tally tally = stage.ownTally(id);
    if (tally == null) {
      tally = unseen(stage);
      stage.put(id, tally);
    }
    tally.setOccurrences(tally.getOccurrences() + 1);
    tally.setLastSeenMs(stage.now());
    stage.state().setOccurrences(stage.state().getOccurrences() + 1);
  }

  /** Publishes a mere repeat, now or by a timer. */
  static void repeat(Stage stage, IncidentDraft.Cause cause, Key128 id) {
    Tally tally = of(stage, id);
    long dueMs = tally.getPublishedAtMs() + stage.rules(tally.getRule()).getOccurrenceIntervalMs();
    if (dueMs <= stage.now()) {
      occurred(stage, cause, id);
    } else if (!tally.getPublishArmed()) {
      stage.ownTally(id).setPublishArmed(true);
      stage.arm(new Timer(dueMs, Timer.Kind.TALLY, id));
    }
  }

  /** The timer of {@link #repeat} is due, if the incident is still kept. */
  static void due(Stage stage, IncidentDraft.Cause cause, Key128 id) {
    Tally tally = stage.ownTally(id);
    if (tally == null) {
      return;
    }
    tally.setPublishArmed(false);
    // What a flapping one has, beside its count, also changes without being told at once.
    if (tally.getOccurrences() != tally.getPublishedOccurrences() || isFlapping(stage, id)) {
      occurred(stage, cause, id);
    }
  }

  /** That timer has gone without having been due. */
  static void dropped(Stage stage, Key128 id) {
    Tally tally = stage.ownTally(id);
    if (tally != null) {
      tally.setPublishArmed(false);
    }
  }

  private static boolean isFlapping(Stage stage, Key128 id) {
    return of(stage, id).getWhole() && stage.incident(id).getFlapping();
  }

  /** What subscribers could choose an incident by before it changed. */
  record Before(IncidentState state, Severity severity, boolean open, boolean suppressed) {
    /** There was none. */
    static final Before NOTHING =
        new Before(IncidentState.NONE, Severity.UNSPECIFIED, false, false);

    static Before of(Incident incident) {
      return new Before(
          incident.getState(),
          incident.getSeverity(),
          Lifecycle.isOpen(incident),
          Lifecycle.isSuppressed(incident));
    }
  }

  /** Publishes the incident with its tally. */
  static void publish(
      Stage stage, IncidentDraft.Cause cause, EventType type, Incident incident, Before before) {
    Tally tally = stage.ownTally(incident.getId());
    describe(tally, incident);
    publish(stage, cause, type, incident, tally, before);
  }

  /**
   * Publishes that the counts moved. What else there is to an incident did not, and may be a
   * thousand times as large: it is not read for this.
   */
  private static void occurred(Stage stage, IncidentDraft.Cause cause, Key128 id) {
    of(stage, id);
    Tally tally = stage.ownTally(id);
    if (tally.getWhole() || !stage.isSince(SKETCHES_SINCE)) {
      Incident incident = stage.incident(id);
      publish(stage, cause, EventType.OCCURRED, incident, tally, Before.of(incident));
    } else {
      Before before =
          new Before(
              tally.getState(), tally.getSeverity(), Lifecycle.isOpen(tally.getState()), false);
      publish(stage, cause, EventType.OCCURRED, sketch(id, tally), tally, before);
    }
  }

  private static void publish(
      Stage stage,
      IncidentDraft.Cause cause,
      EventType type,
      Incident incident,
      Tally tally,
      Before before) {
    tally.setPublishedOccurrences(tally.getOccurrences());
    tally.setPublishedAtMs(stage.now());
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
                before.severity(),
                before.suppressed()));
  }

  private static Tally unseen(Stage stage) {
    return Tally.newBuilder().setOccurrences(0).setLastSeenMs(stage.now()).build();
  }

  private static void describe(Tally tally, Incident incident) {
    tally.setState(incident.getState());
    tally.setSeverity(incident.getSeverity());
    tally.setWorkspace(incident.getWorkspace());
    tally.setSource(incident.getSource());
    tally.setRule(incident.getRule());
    tally.setRevision(incident.getRevision());
    tally.setWhole(incident.getFlapping() || Lifecycle.isSuppressed(incident));
  }

  /** What a tally knows of its incident. */
  private static Incident sketch(Key128 id, Tally tally) {
    Incident sketch = new Incident();
    sketch.setId(id);
    sketch.setWorkspace(tally.getWorkspace());
    sketch.setGroup(NO_GROUP);
    sketch.setTitle("");
    sketch.setDescription("");
    sketch.setSeverity(tally.getSeverity());
    sketch.setType(IncidentType.UNKNOWN);
    sketch.setState(tally.getState());
    sketch.setSource(tally.getSource());
    sketch.setLabels(Map.of());
    sketch.setMetadata(Map.of());
    sketch.setAffectedResources(List.of());
    sketch.setAssignee("");
    sketch.setResolvedBy(ResolvedBy.NOBODY);
    sketch.setRevision(tally.getRevision());
    sketch.setAlerts(List.of());
    sketch.setTimeline(List.of());
    sketch.setNotes(List.of());
    sketch.setSourceOf(List.of());
    sketch.setTargetOf(List.of());
    sketch.setMergedFrom(List.of());
    sketch.setRule(tally.getRule());
    return sketch;
  }
}
