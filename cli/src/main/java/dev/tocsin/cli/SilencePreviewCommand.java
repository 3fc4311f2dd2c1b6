package dev.tocsin.cli;

import dev.tocsin.proto.incidents.PreviewSilenceRequest;
import dev.tocsin.proto.incidents.PreviewSilenceResponse;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tocsin silence preview}: what a silence would hide. */
@Command(
    name = "preview",
    description = "Show which open incidents a silence with these matchers would hide now.",
    footerHeading = "%nExamples:%n",
    footer = {"  tocsin silence preview 'labels.service = db' 'severity != P0'"})
final class SilencePreviewCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Mixin Output output;

  @Parameters(paramLabel = "MATCHER", arity = "1..*", description = "FIELD OPERATOR VALUE.")
  List<String> matchers = List.of();

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "50",
      description = "Show at most N, the newest; at most 1000. Default: 50.")
  int limit;

  @Override
  public Integer call() {
    TocsinMain tocsin = TocsinMain.above(spec);
    Terminal terminal = tocsin.terminal();
    try (Server server = tocsin.server()) {
      PreviewSilenceResponse found =
          server
              .silences()
              .previewSilence(
                  PreviewSilenceRequest.newBuilder()
                      .addAllMatchers(matchers)
                      .setLimit(limit)
                      .build());
      if (output.json()) {
        terminal.out().println(ProtoJson.line(found));
        return 0;
      }
      new IncidentTable(terminal).print(found.getIncidentsList());
      terminal.out().flush();
      terminal.say(
          "tocsin: %s%,d open incidents match"
              .formatted(found.getMore() ? "at least " : "", found.getCount()));
      return 0;
    }
  }
}
