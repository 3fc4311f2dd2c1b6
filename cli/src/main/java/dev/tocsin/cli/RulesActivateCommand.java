package dev.tocsin.cli;

import dev.tocsin.proto.admin.ActivateRulesRequest;
import dev.tocsin.proto.admin.ActivateRulesResponse;
import dev.tocsin.proto.admin.GetProgressRequest;
import dev.tocsin.proto.admin.GetProgressResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tocsin rules activate}: puts a document in force. */
@Command(
    name = "activate",
    description = {
      "Check a document, publish it as the next version, activate that, and wait until every partition has it applied.",
      "",
      "Where the document is the active one already nothing is done, so it can be run again after a time-out."
          + " It finishes an activation that was left half-done.",
      ""
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin rules activate rules.yaml",
      "  tocsin rules activate --expected 4 rules.yaml   only if version 4 is active"
    })
final class RulesActivateCommand implements Callable<Integer> {
  private static final long POLL_MS = 100;
  private static final int DOCUMENT_BYTES_MAX = 1 << 20;

  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Parameters(paramLabel = "FILE", description = "The document, YAML; - for standard input.")
  String file;

  @Option(
      names = "--expected",
      paramLabel = "N",
      description = "The version that is active; the exit code is 74 (ABORTED) if another one is.")
  int expected;

  @Mixin Output output;

  @Override
  public Integer call() throws IOException, InterruptedException, Failure {
    TocsinMain tocsin = TocsinMain.above(spec);
    Terminal terminal = tocsin.terminal();
    String document = read(terminal);
    try (Server server = tocsin.server()) {
      ActivateRulesResponse activated =
          server
              .rules()
              .activateRules(
                  ActivateRulesRequest.newBuilder()
                      .setDocument(document)
                      .setExpectedVersion(expected)
                      .build());
      awaitApplied(server, activated.getVersion());
      if (output.json()) {
        terminal.out().println(ProtoJson.line(activated));
      } else {
        terminal
            .out()
            .printf(
                "version %d is active%s%n",
                activated.getVersion(), activated.getUnchanged() ? ", as it was before" : "");
      }
      return 0;
    }
  }

  private String read(Terminal terminal) throws IOException, Failure {
    try (var in = file.equals("-") ? terminal.in() : Files.newInputStream(Path.of(file))) {
      byte[] bytes = in.readNBytes(DOCUMENT_BYTES_MAX); // the server takes less, and says so
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Failure(Failure.WORK_FAILED, file + ": is not UTF-8");
    }
  }

  /** Bounded by the time-out, of its own; the activation stands whatever comes of this. */
  private static void awaitApplied(Server server, int version)
      throws InterruptedException, Failure {
    long giveUp = System.nanoTime() + server.timeout().toNanos();
    String missing = "";
    do {
      try {
        GetProgressResponse progress =
            server.admin().getProgress(GetProgressRequest.getDefaultInstance());
        long behind =
            progress.getPartitionsList().stream()
                .filter(each -> each.getRulesVersion() < version)
                .count();
        if (behind == 0) {
          return;
        }
        missing = behind + " of " + progress.getPartitionsCount() + " partitions do not have it";
      } catch (StatusRuntimeException e) {
        if (e.getStatus().getCode() != Status.Code.UNAVAILABLE) {
          throw e;
        }
        missing = Failure.of(e).getMessage();
      }
    } while (!new CountDownLatch(1).await(POLL_MS, TimeUnit.MILLISECONDS)
        && System.nanoTime() - giveUp < 0);
    throw new Failure(
        Failure.WORK_FAILED,
        "version %d is activated, but not applied everywhere after %d s: %s"
            .formatted(version, server.timeout().toSeconds(), missing));
  }
}
