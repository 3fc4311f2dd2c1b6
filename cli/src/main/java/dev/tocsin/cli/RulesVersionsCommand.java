package dev.tocsin.cli;

import dev.tocsin.proto.admin.ListRulesVersionsRequest;
import dev.tocsin.proto.admin.ListRulesVersionsResponse;
import dev.tocsin.proto.admin.RulesVersion;
import java.io.PrintStream;
import java.time.Instant;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tocsin rules versions}: what was ever published. */
@Command(
    name = "versions",
    description = "List the versions of the rules, newest first.",
    footerHeading = "%nExamples:%n",
    footer = {"  tocsin rules versions"})
final class RulesVersionsCommand implements Callable<Integer> {
  private static final String ROW = "%7s  %-6s  %5s  %s%n";

  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Mixin Output output;

  @Override
  public Integer call() {
    TocsinMain tocsin = TocsinMain.above(spec);
    try (Server server = tocsin.server()) {
      ListRulesVersionsResponse listed =
          server.rules().listRulesVersions(ListRulesVersionsRequest.getDefaultInstance());
      PrintStream out = tocsin.terminal().out();
      if (output.json()) {
        out.println(ProtoJson.line(listed));
        return 0;
      }
      out.printf(ROW, "VERSION", "ACTIVE", "RULES", "PUBLISHED");
      for (RulesVersion each : listed.getVersionsList()) {
        out.printf(
            ROW,
            each.getVersion(),
            each.getActive() ? "yes" : "",
            each.getRules(),
            Instant.ofEpochSecond(each.getPublishedAt().getSeconds()));
      }
      return 0;
    }
  }
}
