package dev.tocsin.cli;

import dev.tocsin.proto.incidents.CreateIncidentRequest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
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

  @Mixin Condition condition;

  @Option(
      names = "--metadata",
      paramLabel = "K=V",
      description = "What helps to understand it. Repeatable.")
  Map<String, String> metadata = new LinkedHashMap<>();

  @Option(
      names = "--idempotency-key",
      paramLabel = "KEY",
      description =
          "Names the incident: as long as it is kept, the same key gets it and opens no other.")
  String idempotencyKey = "";

  @Mixin Change change;

  @Override
  public Integer call() throws Failure {
    CreateIncidentRequest request = request();
    return change.ask("created", server -> server.createIncident(request).getIncident());
  }

  private CreateIncidentRequest request() {
    CreateIncidentRequest.Builder request =
        CreateIncidentRequest.newBuilder()
            .putAllLabels(condition.labels)
            .putAllMetadata(metadata)
            .addAllAffectedResources(condition.resources)
            .setIdempotencyKey(idempotencyKey)
            .setRequestId(change.requestId());
    Optional.ofNullable(condition.source).ifPresent(request::setSource);
    Optional.ofNullable(condition.title).ifPresent(request::setTitle);
    Optional.ofNullable(condition.description).ifPresent(request::setDescription);
    Optional.ofNullable(condition.severity).ifPresent(request::setSeverityValue);
    Optional.ofNullable(condition.type).ifPresent(request::setTypeValue);
    return request.build();
  }
}
