package dev.tocsin.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Unmatched;

/** {@code tocsin bench}: declared here to be listed; the launcher script runs the benchmarks. */
@Command(
    name = "bench",
    description = "Measure it beside its references: run by the launcher, ./tocsin bench.",
    customSynopsis = "./tocsin bench [--json] [NAME...]",
    footerHeading = "%nExamples:%n",
    footer = {"  ./tocsin bench", "  ./tocsin bench edge-stream --json"})
final class BenchCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Option(names = "--json", description = "Print one object a row.")
  boolean json;

  @Unmatched List<String> others;

  @Override
  public Integer call() throws Failure {
    throw new Failure(
        2, "'bench' is run by the launcher script at the project's root: ./tocsin bench");
  }
}
