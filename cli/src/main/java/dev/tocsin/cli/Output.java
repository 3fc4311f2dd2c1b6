package dev.tocsin.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** The choice between text for people and JSON for programs. */
final class Output {
  @Spec(Target.MIXEE)
  CommandSpec command;

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  /** Whether JSON is wanted, here or before the command's name. */
  boolean json() {
    return json || TocsinMain.above(command).json;
  }
}
