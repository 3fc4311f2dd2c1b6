package dev.tocsin.cli;

import dev.tocsin.proto.incidents.ResolveIncidentRequest;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tocsin incident resolve}: says that it is over. */
@Command(
    name = "resolve",
    description = {
      "Resolve an incident.",
      "",
      "Its conditions that still hold stay muted: none opens or reopens anything until it has ended.",
      ""
    },
    sortOptions = false,
    exitCodeListHeading = Change.EXIT_CODES,
    exitCodeList = {
      Change.REFUSED,
      Change.NOT_FOUND,
      "73:it is resolved or closed already",
      Change.STALE,
      Change.UNKNOWN
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin incident resolve 019c5a7e-6f80-8a31-9c2d-5f0b8e1d2a44",
      "  tocsin incident resolve 019c5a7e-6f80-8a31-9c2d-5f0b8e1d2a44 --resolution 'disk replaced'"
    })
final class IncidentResolveCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Parameters(paramLabel = "ID", description = "The incident's id, as the list shows it.")
  String id;

  @Option(
      names = "--resolution",
      paramLabel = "TEXT",
      description = "Why it is over, for its history.")
  String resolution = "";

  @Mixin RevisionFlag revision;

  @Mixin Change change;

  @Override
  public Integer call() throws Failure {
    ResolveIncidentRequest request =
        ResolveIncidentRequest.newBuilder()
            .setId(id)
            .setResolution(resolution)
            .setExpectedRevision(revision.expected)
            .setRequestId(change.requestId())
            .build();
    return change.ask("resolved", server -> server.resolveIncident(request).getIncident());
  }
}
