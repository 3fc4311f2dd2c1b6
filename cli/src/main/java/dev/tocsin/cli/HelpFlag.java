package dev.tocsin.cli;

import picocli.CommandLine.Option;

/** {@code --help}, which every command has. */
final class HelpFlag {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;
}
