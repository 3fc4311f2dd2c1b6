package dev.tocsin.query;

import com.google.rpc.Code;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.state.ReadOutcomeResponse;
import dev.tocsin.runtime.Errors;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a command ended, as its caller hears it: the one place where outcomes become statuses.
 * Immutable.
 *
 * @param outcome also the metric's label
 * @param incident after the command; the default one unless it is DONE
 * @param error what the call ends with; null if it is DONE
 */
record CommandEnd(Outcome outcome, Incident incident, StatusRuntimeException error) {
  private static final Logger LOG = LoggerFactory.getLogger(CommandEnd.class);
  private static final SeldomLog WITHOUT_OUTCOME = new SeldomLog(LOG, System::nanoTime);
  private static final SeldomLog OF_NEWER_KIND = new SeldomLog(LOG, System::nanoTime);

  /** When room may be there again where too many outcomes are kept: they go by the minute. */
  private static final Duration OUTCOMES_RETRY_AFTER = Duration.ofSeconds(30);

  /** What a caller or an operator tells commands' ends apart by. */
  enum Outcome {
    DONE,
    /** At fault by itself: INVALID_ARGUMENT. */
    REFUSED,
    NOT_FOUND,
    INVALID_STATE_TRANSITION,
    REVISION_STALE,
    /** Its request id belongs to another command. */
    REQUEST_ID_REUSED,
    /** Too many outcomes are kept. */
    OUTCOMES_FULL,
    /** It surely has no effect. */
    NOT_APPENDED,
    /** It may have had its effect, or have it yet. */
    OUTCOME_UNKNOWN,
    /** Its caller went away; whether it has its effect, nobody asked. */
    CANCELLED
  }

  /** It was never put in line for the log, for the reason that {@code error} gives. */
  static CommandEnd refused(StatusRuntimeException error) {
    return switch (error.getStatus().getCode()) {
      case NOT_FOUND -> failed(Outcome.NOT_FOUND, error);
      case UNAVAILABLE -> failed(Outcome.NOT_APPENDED, error);
      default -> failed(Outcome.REFUSED, error);
    };
  }

  /** It never came to the log. */
  static CommandEnd notAppended(CommandEntry entry, String why) {
    return failed(
        Outcome.NOT_APPENDED,
        because(
            Code.UNAVAILABLE,
            Outcome.NOT_APPENDED,
            why + ": it has no effect, send it again",
            entry,
            OwnerCalls.RETRY_AFTER));
  }

  /** The log did not say whether it took it. */
  static CommandEnd logSilent(CommandEntry entry, String why) {
    return unknown(Code.UNAVAILABLE, why, entry);
  }

  /** It would make of two incidents what must not be. */
  static CommandEnd refusedMerge(String requestId, String why) {
    return failed(
        Outcome.INVALID_STATE_TRANSITION,
        Errors.because(
            Code.FAILED_PRECONDITION,
            Outcome.INVALID_STATE_TRANSITION.name(),
            why,
            Map.of("request_id", requestId)));
  }

  /** The first of a merge's commands is done, the second one may not be. */
  static CommandEnd halfMerged(String requestId) {
    return failed(
        Outcome.OUTCOME_UNKNOWN,
        Errors.because(
            Code.UNAVAILABLE,
            Outcome.OUTCOME_UNKNOWN.name(),
            "it is merged, and whether the other incident says so is not known; send it again under"
                + " the request_id "
                + requestId,
            Map.of("request_id", requestId),
            OwnerCalls.RETRY_AFTER));
  }

  /** The same, and the request id belongs to another of the second one's commands. */
  static CommandEnd halfMergedForGood() {
    return failed(
        Outcome.REQUEST_ID_REUSED,
        Errors.invalid(
            "request_id",
            "was used for another command on the other incident within the hour: it is merged, and"
                + " the other incident does not say so; send it again under a new request_id"));
  }

  /** Its time is up. */
  static CommandEnd late(CommandEntry entry) {
    return unknown(Code.DEADLINE_EXCEEDED, "there was no outcome in time", entry);
  }

  /** It is on the log, and its owner could not be asked what became of it. */
  static CommandEnd unread(CommandEntry entry, StatusRuntimeException error) {
    return switch (error.getStatus().getCode()) {
      case CANCELLED -> failed(Outcome.CANCELLED, error);
      case DEADLINE_EXCEEDED -> late(entry);
      case INTERNAL -> unknown(Code.INTERNAL, "the outcome cannot be read", entry);
      default -> unknown(Code.UNAVAILABLE, "the incident's owner is away", entry);
    };
  }

  /** What its owner says. */
  static CommandEnd of(CommandEntry entry, ReadOutcomeResponse response) {
    // A command that was refused because too many outcomes are kept has none itself.
    if (!response.getFound() && response.getCode() != ReadOutcomeResponse.Code.RESOURCE_EXHAUSTED) {
      // Its entry is applied, so there should be one: it is a dead letter, its hour is over, or an
      // owner before this one refused it for want of room.
      WITHOUT_OUTCOME.error("command " + entry.requestId() + " is applied and has no outcome");
      return unknown(Code.INTERNAL, "it was applied, and its outcome is not kept", entry);
    }
    String message = response.getMessage();
    return switch (response.getCode()) {
      case DONE -> new CommandEnd(Outcome.DONE, response.getIncident(), null);
      case NOT_FOUND ->
          failed(Outcome.NOT_FOUND, Errors.notFound("there is no incident " + entry.incident()));
      case FAILED_PRECONDITION ->
          failed(
              Outcome.INVALID_STATE_TRANSITION,
              because(Code.FAILED_PRECONDITION, Outcome.INVALID_STATE_TRANSITION, message, entry));
      case ABORTED ->
          failed(
              Outcome.REVISION_STALE,
              because(Code.ABORTED, Outcome.REVISION_STALE, message, entry));
      case CONFLICT ->
          failed(
              Outcome.REQUEST_ID_REUSED,
              Errors.invalid("request_id", "was used for another command within the hour"));
      case RESOURCE_EXHAUSTED ->
          failed(Outcome.OUTCOMES_FULL, Errors.exhausted(message, OUTCOMES_RETRY_AFTER));
      case CODE_UNSPECIFIED, UNRECOGNIZED -> {
        OF_NEWER_KIND.error("command " + entry.requestId() + " has an outcome of a newer kind");
        yield unknown(Code.INTERNAL, "its outcome is of a kind that is not known here", entry);
      }
    };
  }

  private static CommandEnd unknown(Code code, String why, CommandEntry entry) {
    String message =
        "%s: whether it takes effect is not known; send it again under the request_id %s"
            .formatted(why, entry.requestId());
    StatusRuntimeException error =
        code == Code.UNAVAILABLE
            ? because(code, Outcome.OUTCOME_UNKNOWN, message, entry, OwnerCalls.RETRY_AFTER)
            : because(code, Outcome.OUTCOME_UNKNOWN, message, entry);
    return failed(Outcome.OUTCOME_UNKNOWN, error);
  }

  private static StatusRuntimeException because(
      Code code, Outcome reason, String message, CommandEntry entry) {
    return Errors.because(code, reason.name(), message, metadata(entry));
  }

  private static StatusRuntimeException because(
      Code code, Outcome reason, String message, CommandEntry entry, Duration retryAfter) {
    return Errors.because(code, reason.name(), message, metadata(entry), retryAfter);
  }

  private static Map<String, String> metadata(CommandEntry entry) {
    return Map.of("request_id", entry.requestId());
  }

  private static CommandEnd failed(Outcome outcome, StatusRuntimeException error) {
    return new CommandEnd(outcome, Incident.getDefaultInstance(), error);
  }
}
