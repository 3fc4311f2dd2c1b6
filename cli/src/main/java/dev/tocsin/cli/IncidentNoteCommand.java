package dev.tocsin.cli;

import dev.tocsin.proto.incidents.AddNoteRequest;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code tocsin incident note}: writes something down. */
@Command(
    name = "note",
    description = "Add a note to an incident, whatever its state.",
    sortOptions = false,
    exitCodeListHeading = Change.EXIT_CODES,
    exitCodeList = {Change.REFUSED, Change.NOT_FOUND, Change.STALE, Change.UNKNOWN},
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin incident note 019c5a7e-6f80-8a31-9c2d-5f0b8e1d2a44 'fans are silent, replacing them'"
    })
final class IncidentNoteCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Parameters(index = "0", paramLabel = "ID", description = "The incident's id.")
  String id;

  @Parameters(index = "1", paramLabel = "TEXT", description = "The note, in quotes.")
  String text;

  @Mixin RevisionFlag revision;

  @Mixin Change change;

  @Override
  public Integer call() throws Failure {
    AddNoteRequest request =
        AddNoteRequest.newBuilder()
            .setId(id)
            .setText(text)
            .setExpectedRevision(revision.expected)
            .setRequestId(change.requestId())
            .build();
    return change.ask("noted", server -> server.addNote(request).getIncident());
  }
}
