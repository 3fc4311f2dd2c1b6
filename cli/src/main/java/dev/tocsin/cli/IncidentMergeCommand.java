package dev.tocsin.cli;

import dev.tocsin.proto.incidents.MergeIncidentRequest;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tocsin incident merge}: resolves an incident as a part of another one. */
@Command(
    name = "merge",
    description = {
      "Resolve an incident as a part of another one.",
      "",
      "update --state INVESTIGATING takes it up again.",
      ""
    },
    exitCodeListHeading = Change.EXIT_CODES,
    sortOptions = false,
    exitCodeList = {
      Change.REFUSED,
      Change.NOT_FOUND,
      "73:one of the two is closed, or merged with a third one",
      Change.STALE,
      Change.UNKNOWN
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin incident merge 019c5a7e-6f80-8a31-9c2d-5f0b8e1d2a44 \\",
      "      --into 019c5a7e-1b2c-8a31-9c2d-5f0b8e1d2a44"
    })
final class IncidentMergeCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Parameters(paramLabel = "ID", description = "The incident's id, as the list shows it.")
  String id;

  @Option(names = "--into", paramLabel = "ID", required = true, description = "The other one's id.")
  String into;

  @Mixin RevisionFlag revision;

  @Mixin Change change;

  @Override
  public Integer call() throws Failure {
    MergeIncidentRequest request =
        MergeIncidentRequest.newBuilder()
            .setId(id)
            .setInto(into)
            .setExpectedRevision(revision.expected)
            .setRequestId(change.requestId())
            .build();
    return change.ask("merged", server -> server.mergeIncident(request).getIncident());
  }
}
