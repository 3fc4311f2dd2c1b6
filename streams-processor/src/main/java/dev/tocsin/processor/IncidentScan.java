package dev.tocsin.processor;

import com.google.protobuf.ByteString;
import dev.tocsin.engine.Lifecycle;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.state.ScanIncidentsRequest;
import dev.tocsin.proto.state.ScanIncidentsResponse;
import dev.tocsin.runtime.IncidentMapper;
import dev.tocsin.schemas.Key128;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * One walk along a workspace's index: filters as it goes, and stops at the limit, at the scan
 * budget, when the response is large, or when nobody waits for it any longer. What it has not
 * reached, it says.
 */
final class IncidentScan {
  /** Index entries that one walk looks at. */
  static final int BUDGET = 10_000;

  /** Matches that one walk gives, whatever is asked for. */
  static final int LIMIT_MAX = 1_001;

  /** Of the matches that one walk gives: with one more, less than a gRPC message may have. */
  static final int BYTES_MAX = 3 << 20;

  private static final int CANCEL_CHECK = 256;
  static final Set<IncidentState> NOT_OPEN =
      EnumSet.of(IncidentState.INCIDENT_STATE_RESOLVED, IncidentState.INCIDENT_STATE_CLOSED);

  private final IncidentView view;
  private final ScanIncidentsRequest request;
  private final Set<IncidentState> states;
  private final Set<Severity> severities;

  IncidentScan(IncidentView view, ScanIncidentsRequest request) {
    this.view = view;
    this.request = request;
    this.states = EnumSet.noneOf(IncidentState.class);
    this.states.addAll(request.getStatesList());
    this.severities = EnumSet.noneOf(Severity.class);
    this.severities.addAll(request.getSeveritiesList());
  }

  ScanIncidentsResponse run(BooleanSupplier cancelled) {
    boolean open = states.isEmpty() || !NOT_OPEN.containsAll(states);
    boolean notOpen = states.isEmpty() || states.stream().anyMatch(NOT_OPEN::contains);
    Key128 before =
        request.getBeforeId().isEmpty() ? null : new Key128(request.getBeforeId().toByteArray());
    int limit = Math.min(request.getLimit(), LIMIT_MAX);
    ScanIncidentsResponse.Builder response = ScanIncidentsResponse.newBuilder();
    view.staleness().ifPresent(response::setStaleness);
    try (IndexWalk walk = view.walk(request.getWorkspace(), open, notOpen, before)) {
      response.setAppliedOffset(walk.state().getAppliedOffset());
      Key128 last = null;
      int bytes = 0;
      for (int walked = 0;
          walked < BUDGET && response.getIncidentsCount() < limit && bytes < BYTES_MAX;
          walked++) {
        Key128 id = walk.next();
        if (id == null) {
          return response.build();
        }
        last = id;
        Optional<Tallied> found = view.read(id);
        if (found.isPresent() && matches(found.get().incident())) {
          Incident incident = found.get().toProto(view.partition());
          bytes += incident.getSerializedSize();
          response.addIncidents(incident);
        }
        if (walked % CANCEL_CHECK == 0 && cancelled.getAsBoolean()) {
          break;
        }
      }
      if (last != null && walk.next() != null) {
        response.setScannedTo(ByteString.copyFrom(last.bytes()));
      }
      return response.build();
    }
  }

  private boolean matches(dev.tocsin.schemas.Incident incident) {
    return (request.getIncludeSuppressed() || !Lifecycle.isSuppressed(incident))
        && (states.isEmpty() || states.contains(IncidentMapper.state(incident.getState())))
        && (severities.isEmpty()
            || severities.contains(IncidentMapper.severity(incident.getSeverity())))
        && (request.getSource().isEmpty() || request.getSource().equals(incident.getSource()));
  }
}
