package dev.tocsin.cli;

import picocli.CommandLine.Option;

/** {@code --expected-revision}, which guards against changing what somebody else has changed. */
final class RevisionFlag {
  @Option(
      names = "--expected-revision",
      paramLabel = "N",
      description = "Change it only if it is at this revision. Default: whatever it is at.")
  long expected;
}
