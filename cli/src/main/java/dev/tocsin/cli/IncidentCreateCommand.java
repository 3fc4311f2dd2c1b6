package dev.tocsin.cli;

import dev.tocsin.proto.incidents.CreateIncidentRequest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tocsin incident create}: opens an incident by hand. */
@Command(
    name = "create",
    description = "Open an incident by hand. No alert ever joins it.",
    sortOptions = false,
    exitCodeListHeading = Change.EXIT_CODES,
    exitCodeList = {Change.REFUSED, Change.UNKNOWN},
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin incident create --source desk --title 'Shop is down' --severity P0 --type AVAILABILITY",
      "  tocsin incident create --source desk --title 'Shop is down' --severity P0 --label service=shop \\",
      "      --idempotency-key ticket-4711 --json | jq -r .id"
    })
final class IncidentCreateCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Option(names = "--source", description = "Who or what reports it. Required.")
  String source = "";

  @Option(names = "--title", description = "What is wrong, in one line. Required.")
  String title = "";

  @Option(names = "--description", description = "The same at length.")
  String description = "";

  @Option(
      names = "--severity",
      paramLabel = "P0..P4",
      converter = ProtoNames.SeverityNumber.class,
      description = "P0 is the worst. Default: what the rules say.")
  int severity;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      converter = ProtoNames.TypeNumber.class,
      description =
          "INFRASTRUCTURE, APPLICATION, SECURITY, DATA, PERFORMANCE, AVAILABILITY or COMPLIANCE; or 1 to 7.")
  int type;

  @Option(names = "--label", paramLabel = "K=V", description = "What it is about. Repeatable.")
  Map<String, String> labels = new LinkedHashMap<>();

  @Option(
      names = "--metadata",
      paramLabel = "K=V",
      description = "What helps to understand it. Repeatable.")
  Map<String, String> metadata = new LinkedHashMap<>();

  @Option(names = "--resource", paramLabel = "NAME", description = "What is hit. Repeatable.")
  List<String> resources = List.of();

  @Option(
      names = "--idempotency-key",
      paramLabel = "KEY",
      description =
          "Names the incident: as long as it is kept, the same key gets it and opens no other.")
  String idempotencyKey = "";

  @Mixin Change change;

  @Override
  public Integer call() throws Failure {
    CreateIncidentRequest request =
        CreateIncidentRequest.newBuilder()
            .setSource(source)
            .setTitle(title)
            .setDescription(description)
            .setSeverityValue(severity)
            .setTypeValue(type)
            .putAllLabels(labels)
            .putAllMetadata(metadata)
            .addAllAffectedResources(resources)
            .setIdempotencyKey(idempotencyKey)
            .setRequestId(change.requestId())
            .build();
    return change.ask("created", server -> server.createIncident(request).getIncident());
  }
}
