package dev.tocsin.cli;

import dev.tocsin.proto.incidents.ListSilencesRequest;
import dev.tocsin.proto.incidents.ListSilencesResponse;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tocsin silence list}: what hides incidents, or will. */
@Command(
    name = "list",
    description = "List silences, newest first.",
    footerHeading = "%nExamples:%n",
    footer = {"  tocsin silence list", "  tocsin silence list --ended --json"})
final class SilenceListCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Mixin Output output;

  @Option(names = "--ended", description = "Also those that ended in the last 24 hours.")
  boolean ended;

  @Override
  public Integer call() {
    TocsinMain tocsin = TocsinMain.above(spec);
    Terminal terminal = tocsin.terminal();
    try (Server server = tocsin.server()) {
      ListSilencesResponse listed =
          server
              .silences()
              .listSilences(ListSilencesRequest.newBuilder().setIncludeEnded(ended).build());
      if (output.json()) {
        listed.getSilencesList().forEach(each -> terminal.out().println(ProtoJson.line(each)));
      } else if (listed.getSilencesCount() == 0) {
        terminal.say("tocsin: no silences");
      } else {
        SilenceTable.print(terminal.out(), listed.getSilencesList(), listed.getPartitions());
      }
      return 0;
    }
  }
}
