package dev.tocsin.processor;

import dev.tocsin.schemas.AddNote;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.CreateIncident;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.UpdateIncident;

/** Commands of anna's, as a query-service would append them. */
final class Commands {
  private Commands() {}

  static Command create(String request, String name) {
    return of(
        "default",
        request,
        null,
        name.hashCode(),
        CreateIncident.newBuilder()
            .setGroup(Keys.of(-1L, name.hashCode()))
            .setTitle("title of " + name)
            .setSeverity(Severity.P1)
            .setType(IncidentType.DATA)
            .setSource("desk")
            .build());
  }

  static Command move(String request, Incident incident, IncidentState state) {
    return of(request, incident, UpdateIncident.newBuilder().setState(state).build());
  }

  static Command rate(String request, Incident incident, Severity severity) {
    return of(request, incident, UpdateIncident.newBuilder().setSeverity(severity).build());
  }

  static Command note(String request, Incident incident, String text) {
    return of(request, incident, new AddNote(text));
  }

  /** One that no store has. */
  static Incident unknownIncident() {
    return Incident.newBuilder()
        .setId(IncidentId.of(1_000, 5, 6))
        .setWorkspace("default")
        .setGroup(new Key128(new byte[16]))
        .setRoute(5)
        .setTitle("title")
        .setSeverity(Severity.P2)
        .setType(IncidentType.APPLICATION)
        .setState(IncidentState.DETECTED)
        .setSource("source")
        .setCreatedAtMs(1_000)
        .setUpdatedAtMs(1_000)
        .setOpenedOffset(6)
        .setOpenedIndex(0)
        .setRulesVersion(1)
        .setRevision(1)
        .setDistinctAlerts(1)
        .setActiveAlerts(1)
        .build();
  }

  static byte[] bytes(Command command) {
    return Codec.of(LogEntry.class).encode(LogEntries.of(command));
  }

  private static Command of(String request, Incident incident, Object body) {
    return of(incident.getWorkspace(), request, incident.getId(), incident.getRoute(), body);
  }

  static Command of(String workspace, String request, Key128 incident, long route, Object body) {
    return Command.newBuilder()
        .setWorkspace(workspace)
        .setRequestId(request)
        .setContent(Keys.of(request.hashCode(), body.toString().hashCode()))
        .setActor("anna")
        .setRoute(route)
        .setIncident(incident)
        .setBody(body)
        .build();
  }
}
