package dev.tocsin.cli;

import dev.tocsin.proto.admin.GetDigestRequest;
import dev.tocsin.proto.admin.GetDigestResponse;
import dev.tocsin.proto.admin.PartitionDigest;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tocsin digest}: what two states can be compared by. */
@Command(
    name = "digest",
    description = {
      "Print digests over all incidents, by partition of the log and in total.",
      "",
      "CONTENT covers what the incidents say: equal for two servers that were sent the same alerts in the same"
          + " order. EXACT covers ids, times and positions as well: equal for any replay of one log."
          + " The total is the sum of the partitions' digests, modulo 2^128. Compare while no alerts come in.",
      ""
    },
    footerHeading = "%nExamples:%n",
    footer = {"  tocsin digest", "  tocsin digest --json | jq -r .exact"})
final class DigestCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  private static final String ROW = "%-9s  %14s  %9s  %-32s  %s%n";

  @Spec CommandSpec spec;

  @Mixin Output output;

  @Override
  public Integer call() {
    TocsinMain tocsin = TocsinMain.above(spec);
    try (Server server = tocsin.server()) {
      GetDigestResponse digest = server.admin().getDigest(GetDigestRequest.getDefaultInstance());
      PrintStream out = tocsin.terminal().out();
      if (output.json()) {
        out.println(ProtoJson.line(digest));
      } else {
        print(out, digest);
      }
      return 0;
    }
  }

  private static void print(PrintStream out, GetDigestResponse digest) {
    out.printf(ROW, "PARTITION", "APPLIED OFFSET", "INCIDENTS", "CONTENT", "EXACT");
    for (PartitionDigest partition : digest.getPartitionsList()) {
      out.printf(
          ROW,
          partition.getPartition(),
          partition.getAppliedOffset(),
          partition.getIncidents(),
          Terminal.clean(partition.getContent()),
          Terminal.clean(partition.getExact()));
    }
    out.printf(
        ROW,
        "total",
        "",
        digest.getIncidents(),
        Terminal.clean(digest.getContent()),
        Terminal.clean(digest.getExact()));
  }
}
