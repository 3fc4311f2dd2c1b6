package dev.tocsin.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Unmatched;

/** {@code tocsin chaos}: declared here to be listed; the launcher script runs it. */
@Command(
    name = "chaos",
    description = "Break it under load and check it: run by the launcher, ./tocsin chaos.",
    customSynopsis = {
      "./tocsin chaos [--minutes=N] [--seed=S] [--kinds=KIND,...] [--faults=N]",
      "               [--processors=N] [--rate=N] [--keep]"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ./tocsin chaos --minutes 10 --seed 1",
      "  ./tocsin chaos --kinds zombie,kill-broker"
    })
final class ChaosCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Option(names = "--minutes", paramLabel = "N", description = "How long faults are injected.")
  String minutes;

  @Option(names = "--seed", paramLabel = "S", description = "Chooses which fault comes when.")
  String seed;

  @Option(names = "--kinds", paramLabel = "KIND", description = "Which faults, by commas.")
  String kinds;

  @Unmatched List<String> others;

  @Override
  public Integer call() throws Failure {
    throw new Failure(
        2, "'chaos' is run by the launcher script at the project's root: ./tocsin chaos");
  }
}
