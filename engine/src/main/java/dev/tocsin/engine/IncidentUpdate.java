package dev.tocsin.engine;

import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.ResolvedBy;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.TimelineKind;
import dev.tocsin.schemas.UpdateIncident;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a person wants changed of one incident: whether anything is, whether it may be, and the
 * change. What is asked for but is so already is no change.
 */
final class IncidentUpdate {
  /** What an alert may bring in, and what an incident may have after a change. */
  private static final int LABELS_MAX = 64;

  private final Stage stage;
  private final Incident before;
  private final UpdateIncident asked;
  private final IncidentState state;
  private final Severity severity;
  private final Map<String, String> labels;

  IncidentUpdate(Stage stage, Incident before, UpdateIncident asked) {
    this.stage = stage;
    this.before = before;
    this.asked = asked;
    this.state = asked.getState() == null ? before.getState() : asked.getState();
    boolean unsaid = asked.getSeverity() == null || asked.getSeverity() == Severity.UNSPECIFIED;
    this.severity = unsaid ? before.getSeverity() : asked.getSeverity();
    this.labels = new HashMap<>(before.getLabels());
    labels.keySet().removeAll(asked.getRemoveLabels());
    labels.putAll(asked.getSetLabels());
  }

  /** Whether everything is as it is asked for. */
  boolean isNone() {
    return !moves() && !rates() && !assigns() && edited().isEmpty();
  }

  /**
   * Why it may not be; empty if it may. Of a CLOSED incident nothing may change: it is what was
   * agreed on when it was closed. Notes may still be added.
   */
  Optional<String> refusal() {
    if (isNone()) {
      return Optional.empty();
    }
    if (moves()) {
      Optional<String> refusal = refusedMove();
      if (refusal.isPresent()) {
        return refusal;
      }
    } else if (before.getState() == IncidentState.CLOSED) {
      return Optional.of("the incident is CLOSED, which is final: nothing but notes can be added");
    }
    return labels.size() <= LABELS_MAX || labels.equals(before.getLabels())
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "the incident would have %d labels, and may have %d",
                labels.size(),
                LABELS_MAX));
  }

  /** Changes it: a line for each kind of change, the state last. */
  void apply(IncidentDraft draft) {
    edit(draft);
    if (rates()) {
      // A person may make it better as well as worse. Alerts go on from there: one that is worse
      // than the severity now makes it worse again.
      draft.incident().setSeverity(severity);
      draft.line(TimelineKind.SEVERITY_CHANGED, severity.name());
    }
    if (assigns()) {
      draft.incident().setAssignee(asked.getAssignee());
      draft.line(TimelineKind.ASSIGNED, asked.getAssignee());
    }
    if (moves()) {
      move(draft);
    }
  }

  private boolean moves() {
    return state != before.getState();
  }

  private boolean rates() {
    return severity != before.getSeverity();
  }

  private boolean assigns() {
    return differs(asked.getAssignee(), before.getAssignee());
  }

  /** The fields whose text changes. */
  private List<String> edited() {
    List<String> edited = new ArrayList<>();
    if (differs(asked.getTitle(), before.getTitle())) {
      edited.add("title");
    }
    if (differs(asked.getDescription(), before.getDescription())) {
      edited.add("description");
    }
    if (!labels.equals(before.getLabels())) {
      edited.add("labels");
    }
    return edited;
  }

  private static boolean differs(String asked, String before) {
    return asked != null && !asked.equals(before);
  }

  private void edit(IncidentDraft draft) {
    List<String> edited = edited();
    if (edited.isEmpty()) {
      return;
    }
    Incident incident = draft.incident();
    incident.setTitle(Objects.requireNonNullElse(asked.getTitle(), before.getTitle()));
    incident.setDescription(
        Objects.requireNonNullElse(asked.getDescription(), before.getDescription()));
    incident.setLabels(labels);
    draft.line(TimelineKind.EDITED, String.join(", ", edited));
  }

  private void move(IncidentDraft draft) {
    if (state == IncidentState.RESOLVED) {
      draft.resolve(ResolvedBy.PERSON, asked.getResolution());
    } else if (state == IncidentState.CLOSED) {
      draft.close();
    } else if (before.getState() == IncidentState.RESOLVED) {
      draft.reopen();
      // Alerts of its group join it again. A newer one may have been there, and left before it.
      Flapping.newest(stage, before.getGroup(), before.getId());
    } else {
      draft.incident().setState(state);
      draft.line(TimelineKind.STATE_CHANGED, state.name());
    }
  }

  private Optional<String> refusedMove() {
    List<IncidentState> allowed = new ArrayList<>(Lifecycle.after(before.getState()));
    String why = "";
    if (before.getState() == IncidentState.RESOLVED && !isNewest()) {
      allowed.remove(IncidentState.INVESTIGATING);
      why =
          state == IncidentState.INVESTIGATING
              ? ", because "
                  + IncidentId.text(stage.group(before.getGroup()).getIncident())
                  + " is a newer one of the same group"
              : "";
    }
    if (allowed.contains(state)) {
      return Optional.empty();
    }
    String instead =
        allowed.isEmpty()
            ? before.getState() + " is final"
            : "it can become "
                + allowed.stream().map(IncidentState::name).collect(Collectors.joining(" or "));
    return Optional.of(
        "an incident that is "
            + before.getState()
            + " cannot become "
            + state
            + why
            + "; "
            + instead);
  }

  private boolean isNewest() {
    GroupState group = stage.group(before.getGroup());
    return group == null || group.getIncident().equals(before.getId());
  }
}
