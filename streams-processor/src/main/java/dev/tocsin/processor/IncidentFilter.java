package dev.tocsin.processor;

import dev.tocsin.engine.Lifecycle;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.state.SnapshotIncidentsRequest;
import dev.tocsin.runtime.IncidentMapper;
import dev.tocsin.schemas.Incident;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Semaphore;

/**
 * Which incidents a snapshot shows. Immutable.
 *
 * @param states all if empty
 * @param minSeverity this or worse; UNSPECIFIED for all
 * @param source all if empty
 * @param includeSuppressed also those that a silence or another one hides
 */
record IncidentFilter(
    String workspace,
    Set<IncidentState> states,
    Severity minSeverity,
    String source,
    boolean includeSuppressed) {
  static IncidentFilter of(SnapshotIncidentsRequest request) {
    Set<IncidentState> states = EnumSet.noneOf(IncidentState.class);
    states.addAll(request.getStatesList());
    return new IncidentFilter(
        request.getWorkspace(),
        states,
        request.getMinSeverity(),
        request.getSource(),
        request.getIncludeSuppressed());
  }

  /** The incidents among which those are that match: open ones, others, or both. */
  IncidentSnapshot snapshot(PartitionStore store, Semaphore room) {
    boolean open = states.isEmpty() || !IncidentScan.NOT_OPEN.containsAll(states);
    boolean notOpen = states.isEmpty() || states.stream().anyMatch(IncidentScan.NOT_OPEN::contains);
    return store.snapshot(workspace, open, notOpen, room);
  }

  boolean matches(Incident incident) {
    return incident.getWorkspace().equals(workspace)
        && (includeSuppressed || !Lifecycle.isSuppressed(incident))
        && (states.isEmpty() || states.contains(IncidentMapper.state(incident.getState())))
        && severe(IncidentMapper.severity(incident.getSeverity()))
        && (source.isEmpty() || source.equals(incident.getSource()));
  }

  /** P0, the worst, has the lowest number. */
  private boolean severe(Severity severity) {
    return minSeverity == Severity.SEVERITY_UNSPECIFIED
        || (severity != Severity.SEVERITY_UNSPECIFIED && severity.compareTo(minSeverity) <= 0);
  }
}
