package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.admin.PartitionProgress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The demo on a server that is there already, and has seen alerts before. */
@Timeout(60)
class DemoTargetTest {
  private static final int BEFORE = 1_000;

  @TempDir Path folder;

  @Test
  void demo_withATarget_countsWhatItSentItself() throws Exception {
    try (TestServer server = new TestServer()) {
      server.progress = () -> progress(server, 0);
      CommandRun run = demo(server);

      assertThat(run.err()).isEmpty();
      assertThat(run.exitCode()).isZero();
      assertThat(run.json().get("sent").getAsInt()).isEqualTo(2);
      assertThat(run.json().get("occurrences").getAsInt()).isEqualTo(2);
      assertThat(run.json().get("incidents").getAsInt()).isEqualTo(1);
    }
  }

  @Test
  void demo_withATarget_failsWhenAnAlertIsNotAccountedFor() throws Exception {
    try (TestServer server = new TestServer()) {
      server.progress = () -> progress(server, 1);
      assertThat(demo(server).exitCode()).isEqualTo(1);
    }
  }

  private CommandRun demo(TestServer server) throws IOException {
    Path file =
        Files.writeString(folder.resolve("alerts.jsonl"), "{\"title\":\"a\"}\n{\"title\":\"b\"}");
    return CommandRun.of("demo", "--target", server.target(), "--file", file.toString(), "--json");
  }

  private static PartitionProgress progress(TestServer server, int lost) {
    int sent = server.received.size();
    int alerts = BEFORE + (sent == 0 ? 0 : sent - lost);
    return PartitionProgress.newBuilder()
        .setPartition(3)
        .setAppliedOffset(server.offset.get() + 1)
        .setAlerts(alerts)
        .setOccurrences(alerts)
        .setOpened(sent == 0 ? 7 : 8)
        .build();
  }
}
