package dev.tocsin.chaos;

import dev.tocsin.chaos.PlainModel.Seen;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.ListIncidentsResponse;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Compares what the query-service answers with what the acknowledged alerts must come to. */
final class ModelCheck {
  private static final Duration CALL_MAX = Duration.ofSeconds(30);
  private static final int PAGE = 500;

  private final Differences differences;

  ModelCheck(Differences differences) {
    this.differences = differences;
  }

  /** All incidents, as owners tell them. */
  static List<Incident> read(ManagedChannel query) throws NotHealedException {
    List<Incident> all = new ArrayList<>();
    String token = "";
    do {
      ListIncidentsResponse page =
          IncidentServiceGrpc.newBlockingStub(query)
              .withDeadlineAfter(CALL_MAX)
              .listIncidents(
                  ListIncidentsRequest.newBuilder()
                      .setIncludeSuppressed(true)
                      .setPageSize(PAGE)
                      .setPageToken(token)
                      .build());
      if (page.hasStaleness()) {
        throw new NotHealedException("all is healed, and a list is stale: " + page.getStaleness());
      }
      all.addAll(page.getIncidentsList());
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return all;
  }

  /** Each group's incidents must be what its steps come to, and there must be no others. */
  void compare(List<Group> groups, List<Incident> told) {
    Map<String, List<Incident>> byGroup = new HashMap<>();
    for (Incident each : told) {
      String group = each.getSource() + "/" + each.getLabelsOrDefault("service", "");
      byGroup.computeIfAbsent(group, any -> new ArrayList<>()).add(each);
    }
    for (Group group : groups) {
      compare(group.name(), group.steps(), byGroup.getOrDefault(group.name(), List.of()));
      byGroup.remove(group.name());
    }
    byGroup.forEach(
        (group, incidents) ->
            differences.add("incidents of %s, which nobody sent: %s", group, incidents));
  }

  /** The same of one group. */
  void compare(String group, List<Step> steps, List<Incident> told) {
    List<Seen> found =
        told.stream()
            .sorted(Comparator.comparing(Incident::getId)) // ids sort by time
            .map(Seen::of)
            .toList();
    List<List<Seen>> possible =
        PlainModel.outcomes(steps).stream().map(PlainModel::incidents).toList();
    if (!possible.contains(found)) {
      differences.add(
          "%s: its acknowledged alerts come to %s, and it is %s", group, possible, found);
    }
  }
}
