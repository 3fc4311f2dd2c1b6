package dev.tocsin.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.testsupport.SharedBroker;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Programs that nobody here wrote, at either end of an edge: Debian's h2load (package
 * nghttp2-client) sends, Debian's kcat reads the log. Skipped, and counted as skipped, where they
 * are not.
 */
@Timeout(180)
final class ForeignToolsIT {
  private static final int REQUESTS = 3000;
  private static final String TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  @TempDir Path folder;

  @Test
  void h2load_isAnswered_andKcatReadsWhatItSent() throws Exception {
    assumeTrue(installed("h2load"), "no h2load here: install nghttp2-client");
    assumeTrue(installed("kcat"), "no kcat here: install kcat");
    try (EdgeFixture edge = EdgeFixture.serving(SharedBroker.bootstrap(), Map.of())) {
      String said = send(edge.server.port());
      assertThat(said)
          .contains(
              "%d total, %d started, %d done, %d succeeded, 0 failed, 0 errored, 0 timeout"
                  .formatted(REQUESTS, REQUESTS, REQUESTS, REQUESTS),
              "status codes: %d 2xx, 0 3xx, 0 4xx, 0 5xx".formatted(REQUESTS));
      List<EdgeFixture.Logged> log = edge.log();
      assertThat(log).as("a gRPC error is 2xx too; these are none").hasSize(REQUESTS);
      assertThat(log)
          .allSatisfy(each -> assertThat(each.alert().getTitle()).isEqualTo("by another's hand"));

      List<String> records = read(edge);
      assertThat(new HashSet<>(records)).as("each once").hasSameSizeAs(records);
      assertThat(records)
          .hasSize((int) log.stream().map(l -> l.partition() + "/" + l.offset()).distinct().count())
          .allSatisfy(line -> assertThat(line).contains("traceparent=" + TRACE));
    }
  }

  /** A request is one gRPC frame: no compression, the length, the message. */
  private String send(int port) throws Exception {
    byte[] alert =
        AlertMessage.newBuilder()
            .setSource("h2load")
            .setTitle("by another's hand")
            .build()
            .toByteArray();
    ByteBuffer frame = ByteBuffer.allocate(5 + alert.length);
    frame.put((byte) 0).putInt(alert.length).put(alert);
    Path file = Files.write(folder.resolve("frame"), frame.array());
    return run(
        List.of(
            "h2load",
            "-n",
            Integer.toString(REQUESTS),
            "-c",
            "3",
            "-m",
            "10",
            "-d",
            file.toString(),
            "-H",
            "content-type: application/grpc",
            "-H",
            "te: trailers",
            "-H",
            "traceparent: " + TRACE,
            "http://127.0.0.1:%d/alerts.AlertIngestion/SubmitAlert".formatted(port)));
  }

  /** A line for each record: partition, offset, headers. */
  private List<String> read(EdgeFixture edge) throws Exception {
    return run(List.of(
            "kcat",
            "-C",
            "-q",
            "-e",
            "-b",
            edge.bootstrap,
            "-t",
            edge.topics.log(),
            "-o",
            "beginning",
            "-f",
            "%p %o %h\\n"))
        .lines()
        .toList();
  }

  private String run(List<String> command) throws Exception {
    Path said = folder.resolve("said");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile()).start();
    try {
      assertThat(process.waitFor(100, TimeUnit.SECONDS)).as(command.get(0)).isTrue();
      String output = Files.readString(said, UTF_8);
      assertThat(process.exitValue()).as(output).isZero();
      return output;
    } finally {
      process.destroyForcibly();
    }
  }

  private static boolean installed(String program) throws InterruptedException {
    try {
      Process process =
          new ProcessBuilder("sh", "-c", "command -v " + program)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
