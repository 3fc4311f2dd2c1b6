package dev.tocsin.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Unmatched;

/**
 * {@code tocsin up}: declared here to be listed; the launcher script runs the standalone itself.
 */
@Command(
    name = "up",
    description = "Start everything on this machine, and stay: run by the launcher, ./tocsin up.",
    customSynopsis = "./tocsin up [--data DIR] [--port N]",
    footerHeading = "%nExamples:%n",
    footer = {"  ./tocsin up", "  ./tocsin up --data ./tocsin-data --port 9000"})
final class UpCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Option(names = "--data", paramLabel = "DIR", description = "Where everything is kept.")
  String data;

  @Option(names = "--port", paramLabel = "N", description = "Where to listen. Default: 9000.")
  String port;

  @Unmatched List<String> others;

  @Override
  public Integer call() throws Failure {
    throw new Failure(2, "'up' is run by the launcher script at the project's root: ./tocsin up");
  }
}
