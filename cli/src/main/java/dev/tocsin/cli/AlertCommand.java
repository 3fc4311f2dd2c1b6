package dev.tocsin.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tocsin alert}: the commands that send alerts, and tell what became of one. */
@Command(
    name = "alert",
    description = "Send one alert, or a stream of them; tell what became of one.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {AlertSendCommand.class, AlertStreamCommand.class, AlertExplainCommand.class},
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin alert send --source disk --title 'Disk full' --severity P1",
      "  tocsin alert stream alerts.jsonl --rate 500",
      "  tocsin alert explain disk disk-7-1"
    })
final class AlertCommand implements Runnable {
  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "name one of: send, stream, explain");
  }
}
