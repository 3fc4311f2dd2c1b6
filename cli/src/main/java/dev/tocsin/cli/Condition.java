package dev.tocsin.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** The flags that say what is wrong, of an alert and of an incident alike; null is not given. */
final class Condition {
  @Option(names = "--source", description = "Who or what reports it. Required.")
  String source;

  @Option(names = "--title", description = "What is wrong, in one line. Required.")
  String title;

  @Option(names = "--description", description = "The same at length.")
  String description;

  @Option(
      names = "--severity",
      paramLabel = "P0..P4",
      converter = ProtoNames.SeverityNumber.class,
      description =
          "P0 is the worst; or the number in alerts.proto: 1 is P0, 5 is P4. Default: what the rules say.")
  Integer severity;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      converter = ProtoNames.TypeNumber.class,
      description =
          "INFRASTRUCTURE, APPLICATION, SECURITY, DATA, PERFORMANCE, AVAILABILITY or COMPLIANCE; or 1 to 7.")
  Integer type;

  @Option(names = "--label", paramLabel = "K=V", description = "What it is about. Repeatable.")
  Map<String, String> labels = new LinkedHashMap<>();

  @Option(names = "--resource", paramLabel = "NAME", description = "What is hit. Repeatable.")
  List<String> resources = List.of();
}
