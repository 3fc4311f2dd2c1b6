package dev.tocsin.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** {@code tocsin rules}: the commands that show and change the rules. */
@Command(
    name = "rules",
    description = "Check, show and activate rules; docs/RULES.md says what they can be.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      RulesCommand.Check.class,
      RulesShowCommand.class,
      RulesActivateCommand.class,
      RulesVersionsCommand.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin rules show > rules.yaml",
      "  ./tocsin rules check rules.yaml",
      "  tocsin rules activate rules.yaml"
    })
final class RulesCommand implements Runnable {
  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "name one of: check, show, activate, versions");
  }

  /** Declared here to be listed; the launcher script runs the check itself, without a server. */
  @Command(
      name = "check",
      description = "Check a document without a server: run by the launcher, ./tocsin rules check.",
      customSynopsis = "./tocsin rules check [--json] FILE",
      footerHeading = "%nExamples:%n",
      footer = {"  ./tocsin rules check rules.yaml"})
  static final class Check implements Callable<Integer> {
    @Mixin HelpFlag help;

    @Option(names = "--json", description = "Print one object a fault.")
    boolean json;

    @Unmatched List<String> others;

    @Override
    public Integer call() throws Failure {
      throw new Failure(
          2,
          "'rules check' is run by the launcher script at the project's root: ./tocsin rules check");
    }
  }
}
