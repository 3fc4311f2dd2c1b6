package dev.tocsin.cli;

import dev.tocsin.proto.incidents.ExpireSilenceRequest;
import dev.tocsin.proto.incidents.ExpireSilenceResponse;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tocsin silence expire}: ends a silence early. */
@Command(
    name = "expire",
    description = "End a silence now. May be run again.",
    exitCodeListHeading = Change.EXIT_CODES,
    exitCodeList = {"69:there is no such silence"},
    footerHeading = "%nExamples:%n",
    footer = {"  tocsin silence expire 0c8c5f6e-3f4b-8a31-9c2d-5f0b8e1d2a44"})
final class SilenceExpireCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Mixin Output output;

  @Parameters(paramLabel = "ID", description = "The silence's id, as the list shows it.")
  String id;

  @Override
  public Integer call() {
    TocsinMain tocsin = TocsinMain.above(spec);
    try (Server server = tocsin.server()) {
      ExpireSilenceResponse ended =
          server.silences().expireSilence(ExpireSilenceRequest.newBuilder().setId(id).build());
      tocsin
          .terminal()
          .out()
          .println(
              output.json()
                  ? ProtoJson.line(ended)
                  : SilenceTable.text("ended", ended.getSilence()));
      return 0;
    }
  }
}
