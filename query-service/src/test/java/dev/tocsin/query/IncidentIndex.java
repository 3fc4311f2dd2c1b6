package dev.tocsin.query;

import com.google.protobuf.ByteString;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.state.ScanIncidentsRequest;
import dev.tocsin.proto.state.ScanIncidentsResponse;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;
import java.util.Iterator;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/** One partition's incidents in memory, walked as an owner walks its index: with a scan budget. */
final class IncidentIndex {
  private record Key(String id, String workspace) {}

  private final NavigableMap<String, Map.Entry<Key, Incident>> byId = new ConcurrentSkipListMap<>();

  void put(String workspace, Incident incident) {
    byId.put(incident.getId(), Map.entry(new Key(incident.getId(), workspace), incident));
  }

  Optional<Incident> read(String workspace, ByteString id) {
    return Optional.ofNullable(byId.get(text(id)))
        .filter(entry -> entry.getKey().workspace().equals(workspace))
        .map(Map.Entry::getValue);
  }

  /**
   * Walks newest first.
   *
   * @param budget how many entries may be looked at, at least 1
   */
  ScanIncidentsResponse scan(ScanIncidentsRequest request, int budget) {
    ScanIncidentsResponse.Builder response = ScanIncidentsResponse.newBuilder();
    NavigableMap<String, Map.Entry<Key, Incident>> below =
        request.getBeforeId().isEmpty() ? byId : byId.headMap(text(request.getBeforeId()), false);
    Iterator<Map.Entry<Key, Incident>> entries = below.descendingMap().values().iterator();
    int looked = 0;
    while (entries.hasNext()) {
      if (looked == budget || response.getIncidentsCount() == request.getLimit()) {
        return response.build();
      }
      Map.Entry<Key, Incident> entry = entries.next();
      looked++;
      if (matches(request, entry)) {
        response.addIncidents(entry.getValue());
      }
      response.setScannedTo(bytes(entry.getKey().id()));
    }
    return response.clearScannedTo().build();
  }

  static boolean matches(ScanIncidentsRequest request, Map.Entry<Key, Incident> entry) {
    Incident incident = entry.getValue();
    return entry.getKey().workspace().equals(request.getWorkspace())
        && (request.getStatesCount() == 0 || request.getStatesList().contains(incident.getState()))
        && (request.getSeveritiesCount() == 0
            || request.getSeveritiesList().contains(incident.getSeverity()))
        && (request.getIncludeSuppressed() || !LiveEvent.suppressed(incident))
        && (request.getSource().isEmpty() || request.getSource().equals(incident.getSource()));
  }

  static ByteString bytes(String id) {
    return ByteString.copyFrom(IncidentId.parse(id).orElseThrow().bytes());
  }

  static String text(ByteString id) {
    return IncidentId.text(new Key128(id.toByteArray()));
  }
}
