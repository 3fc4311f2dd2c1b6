package dev.tocsin.cli;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.GetIncidentResponse;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentAlert;
import dev.tocsin.proto.incidents.Note;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.incidents.TimelineEntry;
import java.io.PrintStream;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tocsin incident get}: one incident with its alerts and history. */
@Command(
    name = "get",
    description = "Show one incident with its newest alerts and its history.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin incident get 019c5a7e-6f80-8a31-9c2d-5f0b8e1d2a44",
      "  tocsin incident get 019c5a7e-6f80-8a31-9c2d-5f0b8e1d2a44 --json | jq .timeline"
    })
final class IncidentGetCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Mixin Output output;

  @Parameters(paramLabel = "ID", description = "The incident's id, as the list shows it.")
  String id;

  @Override
  public Integer call() {
    TocsinMain tocsin = TocsinMain.above(spec);
    try (Server server = tocsin.server()) {
      GetIncidentResponse response =
          server.incidents().getIncident(GetIncidentRequest.newBuilder().setId(id).build());
      Incident incident = response.getIncident();
      PrintStream out = tocsin.terminal().out();
      if (output.json()) {
        out.println(ProtoJson.pretty(incident));
      } else {
        print(out, incident);
      }
      if (response.hasStaleness()) {
        out.flush();
        StandbyNote.say(tocsin.terminal(), response.getStaleness());
      }
      return 0;
    }
  }

  private static void print(PrintStream out, Incident incident) {
    field(out, "id", incident.getId());
    field(out, "title", incident.getTitle());
    field(out, "description", incident.getDescription());
    field(out, "state", ProtoNames.name(incident.getState(), incident.getStateValue()));
    field(out, "severity", ProtoNames.name(incident.getSeverity(), incident.getSeverityValue()));
    field(out, "type", ProtoNames.name(incident.getType(), incident.getTypeValue()));
    field(out, "source", incident.getSource());
    field(out, "labels", text(incident.getLabelsMap()));
    field(out, "metadata", text(incident.getMetadataMap()));
    field(out, "resources", String.join(", ", incident.getAffectedResourcesList()));
    field(out, "assignee", incident.getAssignee());
    time(out, "created", incident.hasCreatedAt(), incident.getCreatedAt());
    time(out, "updated", incident.hasUpdatedAt(), incident.getUpdatedAt());
    time(out, "resolved", incident.hasResolvedAt(), incident.getResolvedAt());
    time(out, "first seen", incident.hasFirstSeen(), incident.getFirstSeen());
    time(out, "last seen", incident.hasLastSeen(), incident.getLastSeen());
    field(out, "occurrences", "%,d".formatted(incident.getOccurrences()));
    field(
        out,
        "conditions",
        "%,d, %,d of them active"
            .formatted(incident.getDistinctAlerts(), incident.getActiveAlerts()));
    field(out, "reopened", incident.getReopened() == 0 ? "" : incident.getReopened() + " times");
    field(
        out,
        "opened at",
        incident.hasOpenedAtPosition() ? text(incident.getOpenedAtPosition()) : "");
    field(out, "flapping", incident.getFlapping() ? "its alerts come and go; it stays open" : "");
    field(out, "merged into", incident.getMergedInto());
    field(out, "merged from", String.join(", ", incident.getMergedFromList()));
    field(out, "inhibited by", incident.getInhibitedBy());
    field(out, "silenced by", incident.getSilencedBy());
    time(out, "until", incident.hasSilencedUntil(), incident.getSilencedUntil());
    field(out, "rule", incident.getRule());
    field(out, "rules", "version " + incident.getRulesVersion());
    field(out, "revision", Long.toString(incident.getRevision()));
    out.println();
    out.println("Newest conditions:");
    incident.getAlertsList().forEach(alert -> print(out, alert));
    out.println();
    out.println("History:");
    if (incident.getTimelineDropped() > 0) {
      out.printf("  (%,d older lines are not kept)%n", incident.getTimelineDropped());
    }
    incident.getTimelineList().forEach(entry -> print(out, entry));
    if (incident.getNotesAdded() > 0) {
      printNotes(out, incident);
    }
  }

  private static void printNotes(PrintStream out, Incident incident) {
    out.println();
    out.println("Notes:");
    long dropped = incident.getNotesAdded() - incident.getNotesCount();
    if (dropped > 0) {
      out.printf("  (%,d older notes are not kept)%n", dropped);
    }
    incident.getNotesList().forEach(note -> print(out, note));
  }

  private static void print(PrintStream out, Note note) {
    out.printf(
        "  %s  %s: %s%n",
        IncidentTable.time(note.hasAt(), note.getAt()),
        Terminal.clean(note.getAuthor()),
        Terminal.clean(note.getText()));
  }

  private static void print(PrintStream out, IncidentAlert alert) {
    out.printf(
        "  %s  %-3s %s  (alert %s, fingerprint %s)%n",
        IncidentTable.time(alert.hasJoinedAt(), alert.getJoinedAt()),
        ProtoNames.name(alert.getSeverity(), alert.getSeverityValue()),
        Terminal.clean(alert.getTitle()),
        Terminal.clean(alert.getAlertId()),
        Terminal.clean(alert.getFingerprint()));
  }

  private static void print(PrintStream out, TimelineEntry entry) {
    out.printf(
        "  %s  %-16s %s%s  (%s)%n",
        IncidentTable.time(entry.hasAt(), entry.getAt()),
        entry.getKind(),
        Terminal.clean(entry.getText()),
        entry.getActor().isEmpty() ? "" : " (by " + Terminal.clean(entry.getActor()) + ")",
        entry.hasPosition() ? "at " + text(entry.getPosition()) : "by time");
  }

  /** As an ack tells it. */
  static String text(Position position) {
    return "%d/%d/%d".formatted(position.getPartition(), position.getOffset(), position.getIndex());
  }

  private static String text(Map<String, String> map) {
    return new TreeMap<>(map)
        .entrySet().stream()
            .map(entry -> entry.getKey() + "=" + entry.getValue())
            .collect(Collectors.joining(", "));
  }

  private static void time(PrintStream out, String name, boolean present, Timestamp time) {
    field(out, name, present ? IncidentTable.time(true, time) : "");
  }

  private static void field(PrintStream out, String name, String value) {
    if (!value.isEmpty()) {
      out.printf("%-12s %s%n", name, Terminal.clean(value));
    }
  }
}
