package dev.tocsin.cli;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.AlertSighting;
import dev.tocsin.proto.incidents.ExplainAlertRequest;
import dev.tocsin.proto.incidents.ExplainAlertResponse;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tocsin alert explain}: what became of an alert, and why. */
@Command(
    name = "explain",
    description = {
      "Tell what became of an alert, and why.",
      "Alerts are remembered for the receipt window, an hour unless the rules say otherwise. Sent again meanwhile,"
          + " an alert is not counted again: what is told is of the first time."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin alert explain disk disk-7-1",
      "  tocsin alert explain disk disk-7-1 --json | jq '.sightings[].explanation'"
    })
final class AlertExplainCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Mixin Output output;

  @Parameters(index = "0", paramLabel = "SOURCE", description = "Who sent it.")
  String source;

  @Parameters(index = "1", paramLabel = "ALERT_ID", description = "Its id, as its source gave it.")
  String alertId;

  @Override
  public Integer call() {
    TocsinMain tocsin = TocsinMain.above(spec);
    try (Server server = tocsin.server()) {
      ExplainAlertResponse response =
          server
              .incidents()
              .explainAlert(
                  ExplainAlertRequest.newBuilder().setSource(source).setAlertId(alertId).build());
      PrintStream out = tocsin.terminal().out();
      if (output.json()) {
        out.println(ProtoJson.pretty(response));
        return 0;
      }
      String gap = "";
      for (AlertSighting sighting : response.getSightingsList()) {
        out.print(gap);
        print(out, sighting);
        gap = System.lineSeparator();
      }
      if (response.getSightingsLeftOut() > 0) {
        out.printf("%n(%,d older sightings are left out)%n", response.getSightingsLeftOut());
      }
      return 0;
    }
  }

  private static void print(PrintStream out, AlertSighting sighting) {
    String status = sighting.hasLoggedAt() ? sighting.getStatus() + " " : "";
    out.printf("%s%s%n", status, Terminal.clean(sighting.getExplanation()));
    field(out, "title", sighting.getTitle());
    if (sighting.hasLoggedAt()) {
      field(out, "severity", ProtoNames.name(sighting.getSeverity(), sighting.getSeverityValue()));
    }
    field(out, "incident", sighting.getIncidentId());
    if (sighting.hasPosition()) {
      field(out, "position", IncidentGetCommand.text(sighting.getPosition()));
    }
    time(out, "fired", sighting.hasFiredAt(), sighting.getFiredAt());
    time(out, "ends", sighting.hasEndsAt(), sighting.getEndsAt());
    time(out, "received", sighting.hasReceivedAt(), sighting.getReceivedAt());
    time(out, "logged", sighting.hasLoggedAt(), sighting.getLoggedAt());
    field(out, "fingerprint", sighting.getFingerprint());
    field(out, "group", sighting.getGroup());
    if (sighting.hasLoggedAt()) {
      String rule = sighting.getRule().isEmpty() ? "none matched" : sighting.getRule();
      field(out, "rule", rule + ", version " + sighting.getRulesVersion() + " of the rules");
    }
  }

  private static void time(PrintStream out, String name, boolean present, Timestamp time) {
    field(out, name, present ? IncidentTable.time(true, time) : "");
  }

  private static void field(PrintStream out, String name, String value) {
    if (!value.isEmpty()) {
      out.printf("  %-12s %s%n", name, Terminal.clean(value));
    }
  }
}
