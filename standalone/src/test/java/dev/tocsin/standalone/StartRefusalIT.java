package dev.tocsin.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.broker.FolderLock;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What keeps the program from starting is said in a line for each fault, and by its exit status.
 */
@Timeout(120)
class StartRefusalIT {
  private static final int FAILED = 1;
  private static final int USAGE = 2;
  private static final int CONFIG = 78;

  @TempDir Path folder;

  @Test
  void port_inUse() throws Exception {
    try (ServerSocket taken = listen()) {
      String port = Integer.toString(taken.getLocalPort());
      assertThat(refused(FAILED, "--port", port, "--metrics-port=0", "--kafka-port=0"))
          .containsExactly(
              "tocsin: cannot listen on 127.0.0.1:%s for gRPC: give another port by --port, or 0 for any free one"
                  .formatted(port));
    }
  }

  @Test
  void metricsPort_inUse() throws Exception {
    try (ServerSocket taken = listen()) {
      String port = Integer.toString(taken.getLocalPort());
      assertThat(refused(FAILED, "--port=0", "--metrics-port", port, "--kafka-port=0"))
          .containsExactly(
              "tocsin: cannot listen on 127.0.0.1:%s for metrics: give another port by --metrics-port, or 0 for any free one"
                  .formatted(port));
    }
  }

  @Test
  void kafkaPort_inUse() throws Exception {
    try (ServerSocket taken = listen()) {
      String port = Integer.toString(taken.getLocalPort());
      assertThat(refused(FAILED, "--port=0", "--metrics-port=0", "--kafka-port", port))
          .singleElement()
          .asString()
          .contains("the broker did not start: port " + port + " is in use");
    }
  }

  @Test
  void dataFolder_inUse() throws Exception {
    Path data = Files.createDirectories(folder.resolve("data"));
    try (var held = FolderLock.take(data.resolve("lock"), Duration.ZERO)) {
      assertThat(held).isNotNull();
      assertThat(refused(FAILED))
          .containsExactly(
              "tocsin: the data folder %s is in use by another process".formatted(data));
    }
  }

  @Test
  void dataFolder_thatIsAFile() throws Exception {
    Files.writeString(folder.resolve("data"), "");
    assertThat(refused(FAILED))
        .singleElement()
        .asString()
        .startsWith("tocsin: the data folder " + folder.resolve("data") + " cannot be used: ");
  }

  @Test
  void dataFolder_withGarbageInIt() throws Exception {
    Path log = Files.createDirectories(folder.resolve("data/kafka/log"));
    Files.writeString(log.resolve("meta.properties"), "garbage");
    assertThat(refused(FAILED, "--port=0", "--metrics-port=0", "--kafka-port=0"))
        .singleElement()
        .asString()
        .contains("the broker did not start: ")
        .contains(log.toString())
        .contains("broker.log");
  }

  @Test
  void configuration_everyFaultOfIt() throws Exception {
    Path file =
        Files.write(folder.resolve("settings"), List.of("no.such=1", "processor.threads=many"));
    assertThat(refused(CONFIG, "--config", file.toString(), "--port=70000"))
        .containsExactly(
            "tocsin: edge.port: must be a whole number from 0 to 65535, not '70000'",
            "tocsin: processor.threads: must be a whole number from 1 to 64, not 'many'",
            "tocsin: no.such: no such setting");
  }

  @Test
  void configuration_fileThatIsNotThere() throws Exception {
    assertThat(refused(CONFIG, "--config", folder.resolve("none").toString()))
        .singleElement()
        .asString()
        .contains("none: cannot be read");
  }

  @Test
  void usage_thatIsWrong() throws Exception {
    assertThat(refused(USAGE, "--prot", "9000"))
        .singleElement()
        .asString()
        .contains("Unknown option")
        .contains("--help");
  }

  /** The lines of standard error of a start with these options, in the data folder "data". */
  private List<String> refused(int status, String... options) throws Exception {
    List<String> args = new ArrayList<>(List.of("--data", folder.resolve("data").toString()));
    args.addAll(List.of(options));
    try (var child = StandaloneChild.launch(folder, args.toArray(String[]::new))) {
      assertThat(child.exitStatus()).isEqualTo(status);
      assertThat(child.out()).isEmpty();
      return child.err().lines().toList();
    }
  }

  private static ServerSocket listen() throws Exception {
    return new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
  }
}
