package dev.tocsin.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tocsin silence}: the commands that hide incidents for a time. */
@Command(
    name = "silence",
    description = "Hide what matches for a time, see what is hidden, or end that early.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      SilenceCreateCommand.class,
      SilenceListCommand.class,
      SilenceExpireCommand.class,
      SilencePreviewCommand.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin silence preview 'labels.service = db'",
      "  tocsin silence create 'labels.service = db' --for 2h --comment 'new disks'",
      "  tocsin silence list",
      "  tocsin silence expire 0c8c5f6e-3f4b-8a31-9c2d-5f0b8e1d2a44"
    })
final class SilenceCommand implements Runnable {
  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "name one of: create, list, expire, preview");
  }
}
