package dev.tocsin.cli;

import dev.tocsin.proto.admin.GetRulesRequest;
import dev.tocsin.proto.admin.RulesVersion;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tocsin rules show}: one version's document. */
@Command(
    name = "show",
    description = {
      "Print the document of the active rules, or of another version.",
      "",
      "Version 1, which a log begins with, has none: docs/rules.example.yaml says the same."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  tocsin rules show > rules.yaml", "  tocsin rules show --version 3"})
final class RulesShowCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Option(names = "--version", paramLabel = "N", description = "Another than the active version.")
  int version;

  @Mixin Output output;

  @Override
  public Integer call() {
    TocsinMain tocsin = TocsinMain.above(spec);
    Terminal terminal = tocsin.terminal();
    try (Server server = tocsin.server()) {
      RulesVersion rules =
          server
              .rules()
              .getRules(GetRulesRequest.newBuilder().setVersion(version).build())
              .getVersion();
      if (output.json()) {
        terminal.out().println(ProtoJson.line(rules));
        return 0;
      }
      terminal.say(
          "version %d%s, %s"
              .formatted(
                  rules.getVersion(),
                  rules.getActive() ? ", active" : "",
                  rules.getDocument().isEmpty()
                      ? "the rules that a log begins with: docs/rules.example.yaml"
                      : rules.getRules() + " rules"));
      // As it was written, but for what could move the cursor.
      rules
          .getDocument()
          .lines()
          .map(line -> Terminal.clean(line.replace("\t", "  ")))
          .forEach(terminal.out()::println);
      return 0;
    }
  }
}
