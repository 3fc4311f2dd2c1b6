package dev.tocsin.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tocsin.runtime.Settings;
import dev.tocsin.standalone.StandaloneApp;
import dev.tocsin.standalone.StandaloneConfig;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients that know nothing but the .proto files, against a server on the port that they all name.
 * The Python ones need Debian's python3-grpcio and protobuf-compiler-grpc, and are skipped, and
 * counted as skipped, where those are not.
 */
@Timeout(180)
class ClientsIT {
  /** What the samples have written in them. */
  private static final int PORT = 9000;

  private static final Path PYTHON = Path.of("..", "python").toAbsolutePath().normalize();
  private static final Path PROTO = Path.of("..", "..", "proto").toAbsolutePath().normalize();

  @TempDir static Path data;
  @TempDir Path generated;
  private static StandaloneApp server;

  @BeforeAll
  static void up() throws Exception {
    StandaloneConfig config =
        StandaloneConfig.read(
            Settings.of(
                Map.of(
                    "data",
                    data.toString(),
                    "edge.port",
                    Integer.toString(PORT),
                    "edge.ops-port",
                    "0",
                    "broker.port",
                    "0")));
    server = new StandaloneApp(config);
    server.start(System.err::println);
  }

  @AfterAll
  static void down() {
    server.close();
  }

  @Test
  void javaClient_seesWhatBecameOfItsAlerts() throws Exception {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    FollowIncidents.run("localhost:" + PORT, new PrintStream(said, true, StandardCharsets.UTF_8));
    assertThat(said.toString(StandardCharsets.UTF_8).lines())
        .filteredOn(line -> line.endsWith("ACCEPTED"))
        .hasSize(10);
    assertThat(said.toString(StandardCharsets.UTF_8))
        .contains("Event: INCIDENT_EVENT_TYPE_CREATED")
        .endsWith(": 10 occurrences\n");
  }

  @Test
  void pythonSamples_runUnchanged() throws Exception {
    assumeTrue(answers("/usr/bin/python3", "-c", "import grpc"), "no python3-grpcio here");
    assumeTrue(answers("sh", "-c", "command -v protoc grpc_python_plugin"), "no protoc here");
    assumeTrue(
        Files.exists(Path.of("/usr/include/google/protobuf/timestamp.proto")),
        "no libprotobuf-dev here");
    generate();
    assertThat(python("create_incident.py").lines().findFirst().orElseThrow())
        .matches("Created incident: [0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}");
    String event = firstLineOf("stream_incidents.py");
    assertThat(event).matches("Event: [0-9a-f-]{36} - [0-9]+");
  }

  private void generate() throws Exception {
    Process protoc =
        new ProcessBuilder(
                "sh",
                "-c",
                "protoc -I\"$1\" --python_out=. --grpc_python_out=. --plugin=protoc-gen-grpc_python=$(command -v grpc_python_plugin) incidents.proto alerts.proto",
                "sh",
                PROTO.toString())
            .directory(generated.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(protoc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(protoc.waitFor()).as(said).isZero();
  }

  private Process start(String sample) throws IOException {
    ProcessBuilder python =
        new ProcessBuilder(List.of("/usr/bin/python3", "-u", PYTHON.resolve(sample).toString()));
    python.environment().put("PYTHONPATH", generated.toString());
    return python.redirectErrorStream(true).start();
  }

  private String python(String sample) throws Exception {
    Process python = start(sample);
    String said = new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(python.waitFor()).as(said).isZero();
    return said;
  }

  private String firstLineOf(String sample) throws IOException {
    Process python = start(sample);
    try (BufferedReader said = python.inputReader(StandardCharsets.UTF_8)) {
      return said.readLine();
    } finally {
      python.destroyForcibly();
    }
  }

  private static boolean answers(String... command) throws InterruptedException {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
