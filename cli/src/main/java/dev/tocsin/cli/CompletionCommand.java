package dev.tocsin.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tocsin completion}: the script by which a shell completes the command line. */
@Command(
    name = "completion",
    description = {
      "Print the script by which a shell completes tocsin's commands and options.",
      "",
      "It completes for every path that ends in tocsin, ./tocsin too.",
      ""
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  source <(./tocsin completion bash)                       in this shell",
      "  ./tocsin completion bash > ~/.local/share/bash-completion/completions/tocsin",
      "  ./tocsin completion zsh > ~/.tocsin.zsh                  then source it in ~/.zshrc"
    })
final class CompletionCommand implements Callable<Integer> {
  /** The shells that there is a script for: it is one for both, and finds out where it runs. */
  enum Shell {
    bash,
    zsh
  }

  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Parameters(paramLabel = "bash|zsh", description = "The shell.")
  Shell shell;

  @Override
  public Integer call() {
    TocsinMain.above(spec)
        .terminal()
        .out()
        .print(AutoComplete.bash("tocsin", spec.root().commandLine()));
    return 0;
  }
}
