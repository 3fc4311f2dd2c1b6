package dev.tocsin.cli;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;

/**
 * Incidents as rows. The columns are as wide as the first rows printed need, within bounds; later
 * rows keep them. On a terminal the title has what is left of the line, elsewhere all that it
 * needs. Not thread-safe.
 */
final class IncidentTable {
  private static final int SOURCE_MAX = 24;
  private static final int TITLE_MIN = 20;
  private static final int RED = 31;
  private static final int YELLOW = 33;
  private static final int GREEN = 32;
  private static final int PLAIN = 0;
  private static final List<String> HEADS =
      List.of("ID", "SEV", "STATE", "SOURCE", "COUNT", "ALERTS", "LAST SEEN", "TITLE");
  private static final int SEVERITY = 1;
  private static final int STATE = 2;
  private static final int TITLE = HEADS.size() - 1;

  private final Terminal terminal;
  private int[] widths;

  IncidentTable(Terminal terminal) {
    this.terminal = terminal;
  }

  /** Prints rows, the first time under a head; nothing for no rows. */
  void print(List<Incident> incidents) {
    if (incidents.isEmpty()) {
      return;
    }
    List<List<String>> rows = incidents.stream().map(IncidentTable::cells).toList();
    if (widths == null) {
      widths = widths(rows);
      terminal.out().println(row(HEADS, null));
    }
    for (int i = 0; i < rows.size(); i++) {
      terminal.out().println(row(rows.get(i), incidents.get(i)));
    }
  }

  /** A moment to the second, in UTC; a dash if there is none. */
  static String time(boolean present, Timestamp time) {
    if (!present) {
      return "-";
    }
    return Instant.ofEpochSecond(time.getSeconds()).truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private static List<String> cells(Incident incident) {
    return List.of(
        Terminal.clean(incident.getId()),
        ProtoNames.name(incident.getSeverity(), incident.getSeverityValue()),
        ProtoNames.name(incident.getState(), incident.getStateValue()),
        cut(Terminal.clean(incident.getSource()), SOURCE_MAX),
        Long.toString(incident.getOccurrences()),
        Long.toString(incident.getDistinctAlerts()),
        time(incident.hasLastSeen(), incident.getLastSeen()),
        marked(incident));
  }

  /** The title, after what sets the incident apart. */
  static String marked(Incident incident) {
    String title = Terminal.clean(incident.getTitle());
    title = incident.getMergedInto().isEmpty() ? title : "[merged] " + title;
    title = incident.getFlapping() ? "[flapping] " + title : title;
    title = incident.getInhibitedBy().isEmpty() ? title : "[inhibited] " + title;
    return incident.getSilencedBy().isEmpty() ? title : "[silenced] " + title;
  }

  private int[] widths(List<List<String>> rows) {
    int[] widest = new int[HEADS.size()];
    int used = 0;
    for (int column = 0; column < TITLE; column++) {
      widest[column] = HEADS.get(column).length();
      for (List<String> row : rows) {
        widest[column] = Math.max(widest[column], row.get(column).length());
      }
      used += widest[column] + 2;
    }
    int left = Math.max(TITLE_MIN, terminal.columns() - used);
    widest[TITLE] = terminal.outShown() ? left : Integer.MAX_VALUE;
    return widest;
  }

  private String row(List<String> cells, Incident incident) {
    StringBuilder line = new StringBuilder();
    for (int column = 0; column < TITLE; column++) {
      String cell = cells.get(column);
      line.append(terminal.colored(cell, color(column, incident)));
      line.append(" ".repeat(Math.max(0, widths[column] - cell.length()) + 2));
    }
    return line.append(cut(cells.get(TITLE), widths[TITLE])).toString();
  }

  private static int color(int column, Incident incident) {
    if (incident == null) {
      return PLAIN;
    }
    if (column == SEVERITY) {
      return switch (incident.getSeverity()) {
        case SEVERITY_P0, SEVERITY_P1 -> RED;
        case SEVERITY_P2 -> YELLOW;
        default -> PLAIN;
      };
    }
    return column == STATE && over(incident.getState()) ? GREEN : PLAIN;
  }

  private static boolean over(IncidentState state) {
    return state == IncidentState.INCIDENT_STATE_RESOLVED
        || state == IncidentState.INCIDENT_STATE_CLOSED;
  }

  /** At most {@code max} characters, never half of one, and a sign that there were more. */
  static String cut(String text, int max) {
    int length = text.codePointCount(0, text.length());
    return length <= max ? text : text.substring(0, text.offsetByCodePoints(0, max - 1)) + "…";
  }
}
