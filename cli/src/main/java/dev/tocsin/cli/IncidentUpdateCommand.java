package dev.tocsin.cli;

import dev.tocsin.proto.incidents.UpdateIncidentRequest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tocsin incident update}: changes what is given. */
@Command(
    name = "update",
    description = "Change an incident: what is given, and nothing else.",
    sortOptions = false,
    exitCodeListHeading = Change.EXIT_CODES,
    exitCodeList = {
      Change.REFUSED,
      Change.NOT_FOUND,
      "73:the state may not follow the present one",
      Change.STALE,
      Change.UNKNOWN
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin incident update 019c5a7e-6f80-8a31-9c2d-5f0b8e1d2a44 --state INVESTIGATING --assignee ada",
      "  tocsin incident update 019c5a7e-6f80-8a31-9c2d-5f0b8e1d2a44 --severity P1 --expected-revision 4",
      "  tocsin incident update 019c5a7e-6f80-8a31-9c2d-5f0b8e1d2a44 --label team=db --remove-label guess"
    })
final class IncidentUpdateCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Parameters(paramLabel = "ID", description = "The incident's id, as the list shows it.")
  String id;

  @Option(
      names = "--state",
      paramLabel = "STATE",
      converter = ProtoNames.StateNumber.class,
      description = "TRIAGED, INVESTIGATING, REMEDIATING, RESOLVED or CLOSED.")
  Integer state;

  @Option(
      names = "--severity",
      paramLabel = "P0..P4",
      converter = ProtoNames.SeverityNumber.class,
      description = "P0 is the worst.")
  Integer severity;

  @Option(names = "--title", description = "What is wrong, in one line.")
  String title;

  @Option(names = "--description", description = "The same at length.")
  String description;

  @Option(names = "--assignee", paramLabel = "NAME", description = "Who sees to it; '' for nobody.")
  String assignee;

  @Option(
      names = "--label",
      paramLabel = "K=V",
      description = "A label to set, or to set anew. Repeatable.")
  Map<String, String> labels = new LinkedHashMap<>();

  @Option(
      names = "--remove-label",
      paramLabel = "K",
      description = "A label to remove. Repeatable.")
  List<String> removeLabels = List.of();

  @Mixin RevisionFlag revision;

  @Mixin Change change;

  @Override
  public Integer call() throws Failure {
    UpdateIncidentRequest request = request();
    return change.ask("updated", server -> server.updateIncident(request).getIncident());
  }

  private UpdateIncidentRequest request() {
    UpdateIncidentRequest.Builder request =
        UpdateIncidentRequest.newBuilder()
            .setId(id)
            .putAllLabels(labels)
            .addAllRemoveLabels(removeLabels)
            .setExpectedRevision(revision.expected)
            .setRequestId(change.requestId());
    if (state != null) {
      request.setStateValue(state);
    }
    if (severity != null) {
      request.setSeverityValue(severity);
    }
    if (title != null) {
      request.setTitle(title);
    }
    if (description != null) {
      request.setDescription(description);
    }
    if (assignee != null) {
      request.setAssignee(assignee);
    }
    return request.build();
  }
}
