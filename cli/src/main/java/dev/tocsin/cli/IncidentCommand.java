package dev.tocsin.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tocsin incident}: the commands that read, follow and change incidents. */
@Command(
    name = "incident",
    description =
        "List incidents, look at one, watch what happens, open one by hand, or change one.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      IncidentListCommand.class,
      IncidentGetCommand.class,
      IncidentWatchCommand.class,
      IncidentCreateCommand.class,
      IncidentUpdateCommand.class,
      IncidentResolveCommand.class,
      IncidentMergeCommand.class,
      IncidentNoteCommand.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin incident list --state open --severity P0,P1",
      "  tocsin incident watch --min-severity P1",
      "  tocsin incident get 019c5a7e-6f80-8a31-9c2d-5f0b8e1d2a44",
      "  tocsin incident update 019c5a7e-6f80-8a31-9c2d-5f0b8e1d2a44 --state TRIAGED --assignee ada",
      "  tocsin incident resolve 019c5a7e-6f80-8a31-9c2d-5f0b8e1d2a44 --resolution 'disk replaced'"
    })
final class IncidentCommand implements Runnable {
  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "name one of: list, get, watch, create, update, resolve, merge, note");
  }
}
