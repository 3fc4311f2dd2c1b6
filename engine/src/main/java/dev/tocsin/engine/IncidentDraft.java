package dev.tocsin.engine;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.CreateIncident;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentAlert;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.MergeIncident;
import dev.tocsin.schemas.MergedFrom;
import dev.tocsin.schemas.Note;
import dev.tocsin.schemas.ResolvedBy;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Silence;
import dev.tocsin.schemas.TimelineEntry;
import dev.tocsin.schemas.TimelineKind;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * One change of one incident: a copy of it, what happens to it, and at the end one revision more
 * and one event. The bounds of its lists are kept here.
 */
final class IncidentDraft {
  /**
   * The entry that is being applied, or before which a timer is settled.
   *
   * @param actor who asked for it; empty for alerts and time
   */
  record Cause(long offset, int index, String actor) {
    Cause(long offset, int index) {
      this(offset, index, "");
    }

    static Cause time(long offset) {
      return new Cause(offset, -1);
    }

    boolean isTime() {
      return index < 0;
    }
  }

  /** The version of the engine. */
  private static final int BYTES_BOUNDED_SINCE = 2;

  /** Incidents that one remembers to have been merged into it. Changing it takes a new version. */
  static final int MERGED_MAX = 100;

  private final Stage stage;
  private final Cause cause;
  private final Incident draft;
  private final Incident original; // null of a new one
  private final Tallies.Before before;
  private EventType event = EventType.UPDATED;
  private boolean told;

  private IncidentDraft(Stage stage, Cause cause, Incident draft, Incident original) {
    this.stage = stage;
    this.cause = cause;
    this.draft = draft;
    this.original = original;
    this.before = original == null ? Tallies.Before.NOTHING : Tallies.Before.of(original);
  }

  static IncidentDraft of(Stage stage, Cause cause, Incident before) {
    return new IncidentDraft(stage, cause, Copies.of(before), before);
  }

  /**
   * A new incident, opened by {@code alert}, which is still to {@link #join} it.
   *
   * @param rulesVersion that the alert was stamped under
   */
  static IncidentDraft open(Stage stage, Cause cause, Alert alert, int rulesVersion) {
    return open(
        stage,
        cause,
        Incident.newBuilder()
            .setWorkspace(alert.getWorkspace())
            .setGroup(alert.getGroup())
            .setRoute(alert.getRoute())
            .setTitle(alert.getTitle())
            .setDescription(alert.getDescription())
            .setSeverity(alert.getSeverity())
            .setType(alert.getType())
            .setSource(alert.getSource())
            .setLabels(alert.getLabels())
            .setMetadata(alert.getAnnotations())
            .setAffectedResources(alert.getAffectedResources())
            .setRule(alert.getRule())
            .setRulesVersion(rulesVersion));
  }

  /** A new incident of which is set what it says, and that it belongs to a group on a route. */
  private static IncidentDraft open(Stage stage, Cause cause, Incident.Builder said) {
    Incident incident =
        said.setId(Ids.next(stage, said.getRoute(), cause.offset()))
            .setState(IncidentState.DETECTED)
            .setCreatedAtMs(stage.now())
            .setUpdatedAtMs(stage.now())
            .setOpenedOffset(cause.offset())
            .setOpenedIndex(cause.index())
            .setRevision(0)
            .setDistinctAlerts(0)
            .setActiveAlerts(0)
            .build();
    Flapping.newest(stage, incident.getGroup(), incident.getId());
    stage.state().setOpened(stage.state().getOpened() + 1);
    IncidentDraft draft = new IncidentDraft(stage, cause, incident, null);
    draft.event = EventType.CREATED;
    return draft;
  }

  /** A new incident that a person asked for. */
  static IncidentDraft open(Stage stage, Cause cause, Command command, CreateIncident asked) {
    boolean unsaid = asked.getSeverity() == Severity.UNSPECIFIED;
    IncidentDraft draft =
        open(
            stage,
            cause,
            Incident.newBuilder()
                .setWorkspace(command.getWorkspace())
                .setGroup(asked.getGroup())
                .setRoute(command.getRoute())
                .setTitle(asked.getTitle())
                .setDescription(asked.getDescription())
                .setSeverity(unsaid ? stage.rules().getDefaultSeverity() : asked.getSeverity())
                .setType(asked.getType())
                .setSource(asked.getSource())
                .setLabels(asked.getLabels())
                .setMetadata(asked.getMetadata())
                .setAffectedResources(asked.getAffectedResources())
                .setRulesVersion(stage.rules().getVersion()));
    draft.line(TimelineKind.OPENED, asked.getTitle());
    Tallies.begin(stage, draft.draft);
    return draft;
  }

  /** A condition that was never part of it. */
  IncidentDraft join(Alert alert) {
    TimelineKind kind =
        draft.getDistinctAlerts() == 0 ? TimelineKind.OPENED : TimelineKind.ALERT_JOINED;
    draft.setDistinctAlerts(draft.getDistinctAlerts() + 1);
    draft.setAlerts(
        bounded(draft.getAlerts(), member(alert), rules().getAlertsMax(), NewestItems::bytes));
    return comes(kind, alert);
  }

  /** A condition of it that had ended. */
  IncidentDraft refire(Alert alert) {
    return comes(TimelineKind.ALERT_REFIRED, alert);
  }

  private IncidentDraft comes(TimelineKind how, Alert alert) {
    draft.setActiveAlerts(draft.getActiveAlerts() + 1);
    if (!draft.getFlapping()) {
      line(how, alert.getTitle());
    }
    raise(alert.getSeverity());
    if (draft.getActiveAlerts() == 1) {
      Flapping.changed(stage, this);
    }
    return this;
  }

  /** Makes the severity worse, if it is; never better. */
  IncidentDraft raise(Severity severity) {
    if (worse(severity, draft.getSeverity())) {
      draft.setSeverity(severity);
      line(TimelineKind.SEVERITY_RAISED, severity.name());
    }
    return this;
  }

  static boolean worse(Severity severity, Severity than) {
    return severity != Severity.UNSPECIFIED
        && (than == Severity.UNSPECIFIED || severity.compareTo(than) < 0);
  }

  /**
   * One of its conditions ended; with the last one it is resolved, unless it is not open: then a
   * person resolved it, the condition was muted, and it is one active condition less, no more.
   */
  IncidentDraft end(TimelineKind how, String text) {
    draft.setActiveAlerts(draft.getActiveAlerts() - 1);
    if (!draft.getFlapping()) {
      line(how, text);
    }
    if (draft.getActiveAlerts() == 0 && Lifecycle.isOpen(draft)) {
      Flapping.changed(stage, this);
      if (!draft.getFlapping()) {
        resolve(ResolvedBy.ALERTS, "");
      }
    }
    return this;
  }

  /** Its group comes and goes too often: from now on it stays open, and is not told each time. */
  IncidentDraft flap(String how) {
    draft.setFlapping(true);
    line(TimelineKind.FLAPPING, how);
    return this;
  }

  /** Its group has not come or gone for a while. What it has missed meanwhile happens now. */
  IncidentDraft settle() {
    draft.setFlapping(false);
    line(TimelineKind.STEADY, "");
    return draft.getActiveAlerts() == 0 ? resolve(ResolvedBy.ALERTS, "") : this;
  }

  IncidentDraft resolve(ResolvedBy by, String why) {
    if (draft.getFlapping()) {
      draft.setFlapping(false);
      Flapping.forget(stage, draft);
    }
    draft.setState(IncidentState.RESOLVED);
    draft.setResolvedAtMs(stage.now());
    draft.setResolvedBy(by);
    line(TimelineKind.RESOLVED, why);
    event = EventType.RESOLVED;
    stage.arm(closing());
    return this;
  }

  /** A condition of its group fires within the reopen window, or a person takes it up again. */
  IncidentDraft reopen() {
    // However often it flaps, it has one timer at most.
    stage.disarm(closing());
    draft.setState(IncidentState.INVESTIGATING);
    draft.setResolvedAtMs(0);
    draft.setResolvedBy(ResolvedBy.NOBODY);
    draft.setMergedInto(null);
    draft.setReopened(draft.getReopened() + 1);
    line(TimelineKind.REOPENED, "");
    event = EventType.REOPENED;
    return this;
  }

  IncidentDraft close() {
    stage.disarm(closing());
    draft.setState(IncidentState.CLOSED);
    draft.setClosedAtMs(stage.now());
    line(TimelineKind.CLOSED, "");
    event = EventType.CLOSED;
    stage.arm(
        new Timer(stage.now() + rules().getRetentionMs(), Timer.Kind.INCIDENT, draft.getId()));
    return this;
  }

  /** It is over as a part of another one: by a person, also where its alerts had resolved it. */
  IncidentDraft merge(MergeIncident asked) {
    draft.setMergedInto(asked.getInto());
    line(TimelineKind.MERGED, asked.getTitle());
    if (Lifecycle.isOpen(draft)) {
      return resolve(ResolvedBy.PERSON, "");
    }
    draft.setResolvedBy(ResolvedBy.PERSON);
    return this;
  }

  /** Another one is over as a part of it. */
  IncidentDraft mergedFrom(MergedFrom asked) {
    List<Key128> others = new ArrayList<>(draft.getMergedFrom());
    others.remove(asked.getIncident());
    draft.setMergedFrom(
        NewestItems.with(others, asked.getIncident(), MERGED_MAX, Integer.MAX_VALUE, each -> 0));
    line(TimelineKind.MERGED_FROM, asked.getTitle());
    return this;
  }

  IncidentDraft note(String text) {
    Note note = new Note(stage.now(), cause.actor(), text);
    draft.setNotes(bounded(draft.getNotes(), note, rules().getNotesMax(), NewestItems::bytes));
    draft.setNotesAdded(draft.getNotesAdded() + 1);
    line(TimelineKind.NOTE_ADDED, "");
    return this;
  }

  /**
   * Stores the incident, one revision on, and publishes it. Its tally is as it will be. Where there
   * is nothing to tell of, as of a flapping one that comes or goes, it is no more than a repeat.
   */
  Incident done() {
    if (!told) {
      stage.put(draft.getId(), draft);
      Tallies.repeat(stage, cause, draft.getId());
      return draft;
    }
    turn();
    draft.setRevision(draft.getRevision() + 1);
    draft.setUpdatedAtMs(stage.now());
    stage.put(draft.getId(), draft);
    Tallies.publish(stage, cause, event, draft, before);
    return draft;
  }

  /** What follows from its coming to be open, or ceasing to. */
  private void turn() {
    boolean open = Lifecycle.isOpen(draft);
    if (open && (!before.open() || matchesOtherwise())) {
      Silences.judge(stage, this);
    }
    if (open == before.open()) {
      return;
    }
    if (open) {
      Inhibitions.enter(stage, this);
    } else {
      Inhibitions.leave(stage, this);
      draft.setSilencedBy(null);
      draft.setSilencedUntilMs(0);
    }
  }

  /** Whether a field has changed that can be matched and is not what it is for all its life. */
  private boolean matchesOtherwise() {
    return draft.getSeverity() != original.getSeverity()
        || !draft.getTitle().equals(original.getTitle())
        || !draft.getDescription().equals(original.getDescription())
        || !draft.getLabels().equals(original.getLabels());
  }

  /** A silence hides it from now on. */
  void silence(Silence by) {
    draft.setSilencedBy(by.getId());
    draft.setSilencedUntilMs(by.getEndMs());
    line(TimelineKind.SILENCED, by.getComment());
  }

  /** None hides it any more. */
  void unsilence() {
    draft.setSilencedBy(null);
    draft.setSilencedUntilMs(0);
    line(TimelineKind.UNSILENCED, "");
  }

  /** Another one hides it from now on. */
  IncidentDraft inhibit(Key128 by, String title, Cause turn) {
    draft.setInhibitedBy(by);
    line(TimelineKind.INHIBITED, title, turn);
    return this;
  }

  /** None hides it any more. */
  IncidentDraft uninhibit(Cause turn) {
    draft.setInhibitedBy(null);
    line(TimelineKind.UNINHIBITED, "", turn);
    return this;
  }

  Incident incident() {
    return draft;
  }

  Cause cause() {
    return cause;
  }

  private IncidentAlert member(Alert alert) {
    return new IncidentAlert(
        alert.getFingerprint(),
        alert.getAlertId(),
        alert.getTitle(),
        alert.getSeverity(),
        stage.now());
  }

  /** A line of its timeline. */
  void line(TimelineKind kind, String text) {
    line(kind, text, cause);
  }

  private void line(TimelineKind kind, String text, Cause cause) {
    told = true;
    List<TimelineEntry> before = draft.getTimeline();
    TimelineEntry entry =
        new TimelineEntry(
            stage.now(),
            kind,
            cause.isTime() ? -1 : cause.offset(),
            Math.max(0, cause.index()),
            text,
            cause.actor());
    draft.setTimeline(bounded(before, entry, rules().getTimelineMax(), NewestItems::bytes));
    draft.setTimelineDropped(
        draft.getTimelineDropped() + before.size() + 1 - draft.getTimeline().size());
  }

  /** When it is closed, being resolved. */
  private Timer closing() {
    return new Timer(
        draft.getResolvedAtMs() + rules().getCloseAfterMs(), Timer.Kind.INCIDENT, draft.getId());
  }

  private Rules rules() {
    return stage.rules(draft.getRule());
  }

  private <T> List<T> bounded(List<T> before, T more, int max, ToIntFunction<T> bytesOf) {
    boolean inBytes = stage.isSince(BYTES_BOUNDED_SINCE);
    return NewestItems.with(
        before, more, max, inBytes ? NewestItems.BYTES_MAX : Integer.MAX_VALUE, bytesOf);
  }
}
