package dev.tocsin.query;

import com.google.protobuf.ByteString;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEventType;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.Severity;
import java.util.Optional;
import java.util.Set;

/**
 * Which incidents a stream follows. Immutable.
 *
 * @param workspace the caller's
 * @param states all if empty
 * @param minSeverity this or worse; UNSPECIFIED for all
 * @param source all if empty
 * @param includeSuppressed also those that a silence or another one hides
 */
record StreamFilter(
    String workspace,
    Set<IncidentState> states,
    Severity minSeverity,
    String source,
    boolean includeSuppressed) {
  /**
   * What the stream is told of an event: its type, LEFT_FILTER if the incident matched before and
   * does not any more, or nothing. Where it is not known what was before, it may have matched: who
   * is told in vain that an incident left loses nothing.
   */
  Optional<IncidentEventType> tells(LiveEvent event) {
    if (!event.workspace().equals(workspace) || !fromSource(event.incident())) {
      return Optional.empty();
    }
    boolean matched = matched(event.before());
    if (event.type() == IncidentEventType.INCIDENT_EVENT_TYPE_REMOVED) {
      return matched ? Optional.of(event.type()) : Optional.empty();
    }
    Incident after = event.incident();
    if (matches(after.getState(), after.getSeverity(), LiveEvent.suppressed(after))) {
      return Optional.of(event.type());
    }
    return matched
        ? Optional.of(IncidentEventType.INCIDENT_EVENT_TYPE_LEFT_FILTER)
        : Optional.empty();
  }

  private boolean matched(LiveEvent.Before before) {
    if (!before.known()) {
      return true;
    }
    return before.state() != IncidentState.INCIDENT_STATE_UNSPECIFIED
        && matches(before.state(), before.severity(), before.suppressed());
  }

  private boolean fromSource(Incident incident) {
    return source.isEmpty() || source.equals(incident.getSource());
  }

  /** P0, the worst, has the lowest number. */
  private boolean matches(IncidentState state, Severity severity, boolean suppressed) {
    boolean severe =
        minSeverity == Severity.SEVERITY_UNSPECIFIED
            || (severity != Severity.SEVERITY_UNSPECIFIED && severity.compareTo(minSeverity) <= 0);
    return severe
        && (includeSuppressed || !suppressed)
        && (states.isEmpty() || states.contains(state));
  }

  /** Equal for equal filters, the workspace aside, however they were written. */
  ByteString digest() {
    Sha256 parts =
        new Sha256()
            .text("stream")
            .set(states.stream().mapToInt(IncidentState::getNumber))
            .number(minSeverity.getNumber())
            .text(source);
    return (includeSuppressed ? parts.text("suppressed") : parts).byteString();
  }

  /** The same of the workspace. */
  ByteString workspaceDigest() {
    return new Sha256().text("workspace").text(workspace).byteString();
  }
}
