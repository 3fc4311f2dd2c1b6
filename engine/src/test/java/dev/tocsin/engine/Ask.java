package dev.tocsin.engine;

import dev.tocsin.schemas.AddNote;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.CreateIncident;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.MergeIncident;
import dev.tocsin.schemas.MergedFrom;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.UpdateIncident;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Commands for tests, of anna in the workspace "w". */
final class Ask {
  private static final Key128 UNSET = new Key128(new byte[16]);

  private Ask() {}

  /** One incident for each name. */
  static Command create(String requestId, String name) {
    return create(requestId, name, Severity.P2);
  }

  static Command create(String requestId, String name, Severity severity) {
    return of(
        requestId,
        null,
        CreateIncident.newBuilder()
            .setGroup(Sighting.key("create w " + name))
            .setTitle("title of " + name)
            .setDescription("description of " + name)
            .setSeverity(severity)
            .setType(IncidentType.SECURITY)
            .setSource("desk")
            .setLabels(Map.of("service", name))
            .setMetadata(Map.of("ticket", "T-" + name))
            .setAffectedResources(List.of("host-" + name))
            .build());
  }

  static Command move(String requestId, Incident incident, IncidentState state) {
    return update(requestId, incident, asked -> asked.setState(state));
  }

  static Command update(String requestId, Incident incident, Consumer<UpdateIncident> what) {
    UpdateIncident asked = UpdateIncident.newBuilder().build();
    what.accept(asked);
    return of(requestId, incident.getId(), asked);
  }

  /** One incident as a part of another. */
  static Command merge(String requestId, Incident incident, Key128 into) {
    Command command = of(requestId, incident.getId(), UpdateIncident.newBuilder().build());
    command.setMerge(new MergeIncident(into, "title of the other"));
    return command;
  }

  static Command mergedFrom(String requestId, Incident incident, Key128 other) {
    Command command = of(requestId, incident.getId(), UpdateIncident.newBuilder().build());
    command.setMergedFrom(new MergedFrom(other, "title of the other"));
    return command;
  }

  static Command note(String requestId, Incident incident, String text) {
    return of(requestId, incident.getId(), new AddNote(text));
  }

  static Command of(String requestId, Key128 incident, Object body) {
    Command command =
        Command.newBuilder()
            .setWorkspace("w")
            .setRequestId(requestId)
            .setContent(UNSET)
            .setActor("anna")
            .setRoute(77)
            .setIncident(incident)
            .setBody(body)
            .build();
    command.setContent(Sighting.key(incident + " " + body));
    return command;
  }
}
