package dev.tocsin.engine;

import dev.tocsin.engine.IncidentDraft.Cause;
import dev.tocsin.schemas.AddNote;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.CreateIncident;
import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.MergeIncident;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.OutcomeCode;
import dev.tocsin.schemas.UpdateIncident;
import java.util.Locale;
import java.util.Optional;

/**
 * What one command does: at most one change of one incident, and an outcome. A refusal is an
 * outcome too, and changes nothing else.
 */
final class CommandFold {
  private final Stage stage;
  private final Cause cause;
  private final Command command;

  private CommandFold(Stage stage, Cause cause, Command command) {
    this.stage = stage;
    this.cause = cause;
    this.command = command;
  }

  /**
   * Applies it, unless its request has an outcome already: that one stands, whether the command is
   * the same (sent again) or another (then whoever reads the outcome sees that it is not of what
   * was asked for). Where no more outcomes can be kept, nothing happens: an effect without an
   * outcome would happen again when the command is sent again.
   */
  static void apply(Stage stage, long offset, Command command) {
    Key128 key = Outcomes.key(command.getWorkspace(), command.getRequestId());
    if (stage.outcome(key) == null && !Outcomes.full(stage)) {
      Cause cause = new Cause(offset, 0, command.getActor());
      Outcomes.keep(stage, key, new CommandFold(stage, cause, command).apply());
    }
  }

  private Outcome apply() {
    if (command.getBody() instanceof CreateIncident asked) {
      return create(asked);
    }
    Incident incident =
        command.getIncident() == null ? null : stage.incident(command.getIncident());
    if (incident == null || !incident.getWorkspace().equals(command.getWorkspace())) {
      return outcome(OutcomeCode.NOT_FOUND, "there is no such incident", null);
    }
    long expected = command.getExpectedRevision();
    if (expected != 0 && expected != incident.getRevision()) {
      return outcome(
          OutcomeCode.ABORTED,
          String.format(
              Locale.ROOT,
              "the incident is at revision %d, not at %d",
              incident.getRevision(),
              expected),
          incident);
    }
    if (command.getMerge() != null) {
      return merge(incident, command.getMerge());
    }
    if (command.getMergedFrom() != null) {
      return done(draft(incident).mergedFrom(command.getMergedFrom()).done());
    }
    return command.getBody() instanceof UpdateIncident asked
        ? update(incident, asked)
        : done(draft(incident).note(((AddNote) command.getBody()).getText()).done());
  }

  private Outcome create(CreateIncident asked) {
    GroupState group = stage.group(asked.getGroup());
    return done(
        group != null
            ? stage.incident(group.getIncident())
            : IncidentDraft.open(stage, cause, command, asked).done());
  }

  /** That the other one is there, and may be merged into, whoever appended this has seen. */
  private Outcome merge(Incident incident, MergeIncident asked) {
    Key128 into = incident.getMergedInto();
    String refusal = null;
    if (asked.getInto().equals(incident.getId())) {
      refusal = "an incident cannot be merged into itself";
    } else if (into != null && !into.equals(asked.getInto())) {
      refusal = "the incident is merged into " + IncidentId.text(into) + " already";
    } else if (into == null && incident.getState() == IncidentState.CLOSED) {
      refusal = "the incident is CLOSED, which is final: nothing but notes can be added";
    }
    if (refusal != null) {
      return outcome(OutcomeCode.FAILED_PRECONDITION, refusal, incident);
    }
    return done(into != null ? incident : draft(incident).merge(asked).done());
  }

  private Outcome update(Incident incident, UpdateIncident asked) {
    IncidentUpdate update = new IncidentUpdate(stage, incident, asked);
    Optional<String> refusal = update.refusal();
    if (refusal.isPresent()) {
      return outcome(OutcomeCode.FAILED_PRECONDITION, refusal.get(), incident);
    }
    if (update.isNone()) {
      return done(incident);
    }
    IncidentDraft draft = draft(incident);
    update.apply(draft);
    return done(draft.done());
  }

  private IncidentDraft draft(Incident incident) {
    return IncidentDraft.of(stage, cause, incident);
  }

  private Outcome done(Incident incident) {
    return outcome(OutcomeCode.DONE, "", incident);
  }

  private Outcome outcome(OutcomeCode code, String message, Incident incident) {
    return new Outcome(
        command.getContent(),
        code,
        message,
        incident == null ? null : incident.getId(),
        incident == null ? 0L : incident.getRevision(),
        stage.now());
  }
}
