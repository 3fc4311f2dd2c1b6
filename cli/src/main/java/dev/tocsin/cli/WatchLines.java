package dev.tocsin.cli;

import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentEventType;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Events of a stream, a line each: for people time, what happened, and the incident in short; for
 * programs the event as JSON, heartbeats left out. Each line is out before the next event is taken.
 */
final class WatchLines {
  private static final int RED = 31;
  private static final int GREEN = 32;
  private static final int YELLOW = 33;
  private static final int GREY = 90;
  private static final int PLAIN = 0;

  /** Of incidents told last. */
  private static final int TITLES_MAX = 10_000;

  private final Terminal terminal;
  private final boolean json;
  private final Map<String, String> titles =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
          return size() > TITLES_MAX;
        }
      };

  WatchLines(Terminal terminal, boolean json) {
    this.terminal = terminal;
    this.json = json;
  }

  /** Prints an event; false if nobody reads what is printed any more. */
  boolean print(IncidentEvent event) {
    boolean heartbeat = event.getEventType() == IncidentEventType.INCIDENT_EVENT_TYPE_HEARTBEAT;
    if (json && !heartbeat) {
      terminal.out().println(ProtoJson.line(event));
    } else if (!IncidentWatchCommand.isSign(event.getEventType())) {
      terminal.out().println(line(event));
    }
    boolean snapshot = event.getEventType() == IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT;
    // A snapshot may be long, and its end flushes it.
    return snapshot || !terminal.out().checkError();
  }

  private String line(IncidentEvent event) {
    Incident incident = event.getIncident();
    String when =
        IncidentTable.time(
            event.hasAt() || incident.hasUpdatedAt(),
            event.hasAt() ? event.getAt() : incident.getUpdatedAt());
    return String.join(
        "  ",
        when.equals("-") ? Instant.EPOCH.toString() : when,
        terminal.colored("%-11s".formatted(name(event)), color(event)),
        terminal.colored(
            ProtoNames.name(incident.getSeverity(), incident.getSeverityValue()),
            severityColor(incident)),
        "%-13s".formatted(ProtoNames.name(incident.getState(), incident.getStateValue())),
        Terminal.clean(event.getIncidentId()),
        "×" + incident.getOccurrences(),
        Terminal.clean(incident.getSource()),
        marked(event));
  }

  /** A repeat is told without its incident's title. */
  private String marked(IncidentEvent event) {
    if (event.getEventType() == IncidentEventType.INCIDENT_EVENT_TYPE_OCCURRED
        && event.getIncident().getTitle().isEmpty()) {
      return Terminal.clean(titles.getOrDefault(event.getIncidentId(), ""));
    }
    titles.put(event.getIncidentId(), event.getIncident().getTitle());
    return IncidentTable.marked(event.getIncident());
  }

  private static String name(IncidentEvent event) {
    String name = event.getEventType().name();
    return switch (event.getEventType()) {
      case INCIDENT_EVENT_TYPE_SNAPSHOT -> "IS";
      case INCIDENT_EVENT_TYPE_LEFT_FILTER -> "LEFT";
      case UNRECOGNIZED -> Integer.toString(event.getEventTypeValue());
      default -> name.substring("INCIDENT_EVENT_TYPE_".length());
    };
  }

  private static int color(IncidentEvent event) {
    return switch (event.getEventType()) {
      case INCIDENT_EVENT_TYPE_CREATED, INCIDENT_EVENT_TYPE_REOPENED -> RED;
      case INCIDENT_EVENT_TYPE_RESOLVED, INCIDENT_EVENT_TYPE_CLOSED -> GREEN;
      case INCIDENT_EVENT_TYPE_SNAPSHOT,
          INCIDENT_EVENT_TYPE_OCCURRED,
          INCIDENT_EVENT_TYPE_LEFT_FILTER,
          INCIDENT_EVENT_TYPE_REMOVED ->
          GREY;
      default -> PLAIN;
    };
  }

  private static int severityColor(Incident incident) {
    return switch (incident.getSeverity()) {
      case SEVERITY_P0, SEVERITY_P1 -> RED;
      case SEVERITY_P2 -> YELLOW;
      default -> PLAIN;
    };
  }
}
