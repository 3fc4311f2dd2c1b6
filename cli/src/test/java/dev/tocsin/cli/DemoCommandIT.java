package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The demo with a stand-in for the standalone, as a real process under the real command line. */
@Timeout(120)
class DemoCommandIT {
  private static final int SAMPLE_ALERTS = 1508;

  @TempDir Path home;

  @AfterEach
  void forget() {
    System.clearProperty("tocsin.home");
  }

  @Test
  void demo_accountsForEveryAlert_andLeavesNothing() throws IOException {
    CommandRun run = demo("works", "--json");

    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(run.json().get("sent").getAsInt()).isEqualTo(SAMPLE_ALERTS);
    assertThat(run.json().get("acknowledged").getAsInt()).isEqualTo(SAMPLE_ALERTS);
    assertThat(run.json().get("rejected").getAsInt()).isZero();
    assertThat(run.json().get("incidents").getAsInt()).isEqualTo(1);
    assertThat(run.json().get("occurrences").getAsInt()).isEqualTo(SAMPLE_ALERTS - 2);
    assertThat(run.json().get("redelivered").getAsInt()).isEqualTo(1);
    assertThat(run.json().get("elapsed_ms").getAsInt()).isPositive();
    assertNothingIsLeft();
  }

  @Test
  void demo_showsTheIncidents_andTheCountsLast() throws IOException {
    Path file =
        Files.writeString(
            home.resolve("alerts.jsonl"), "{\"title\":\"a\"}\n{broken\n{\"title\":\"b\"}");
    CommandRun run = demo("works", "--file", file.toString());

    assertThat(run.exitCode()).isZero();
    List<String> lines = run.out().lines().toList();
    assertThat(lines.get(1)).contains("Disk latency");
    assertThat(lines.get(lines.size() - 1))
        .startsWith("2 sent, 2 acknowledged, 0 rejected, 1 broken lines: 1 incidents");
    assertThat(run.err()).contains("it serves on 127.0.0.1:").contains("line 2 is broken");
  }

  @Test
  void demo_failsWhenAnAlertIsNotAccountedFor() throws IOException {
    CommandRun run = demo("loses one");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err())
        .contains("not every alert is accounted for: 1,508 acknowledged, but 1,507");
    assertNothingIsLeft();
  }

  @Test
  void demo_showsTheLastWordsOfAServerThatDies() throws IOException {
    CommandRun run = demo("dies");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err())
        .contains("the standalone ended with exit code 3:")
        .contains("no space left on device");
    assertNothingIsLeft();
  }

  @Test
  void demo_showsTheLastWordsOfAServerThatDiesWhileSending() throws IOException {
    CommandRun run = demo("dies while sending");

    assertThat(run.exitCode()).isEqualTo(64 + 14);
    assertThat(run.err()).contains("UNAVAILABLE").contains("fatal: broker gone");
    assertNothingIsLeft();
  }

  @Test
  void demo_leavesTheFolderIfAsked() throws IOException {
    CommandRun run = demo("dies", "--keep");
    Path folder = Path.of(trace().get(1));

    assertThat(folder.resolve("standalone.log")).exists();
    assertThat(run.err()).contains("kept afterwards: " + folder);
    StandaloneProcess.remove(folder);
  }

  @Test
  void demo_thatIsTold_endsItsServerToo() throws Exception {
    home("silent");
    Process demo =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dtocsin.home=" + home,
                "-cp",
                System.getProperty("java.class.path"),
                "dev.tocsin.cli.TocsinMain",
                "demo")
            .redirectErrorStream(true)
            .start();
    try (var output = demo.inputReader(StandardCharsets.UTF_8)) {
      String line = output.readLine();
      while (line != null && !line.contains("sending the sample")) {
        line = output.readLine();
      }
      demo.destroy();
      assertThat(demo.waitFor(30, TimeUnit.SECONDS)).isTrue();
    } finally {
      demo.destroyForcibly();
    }

    assertThat(demo.exitValue()).isEqualTo(128 + 15);
    assertNothingIsLeft();
  }

  @Test
  void standalone_thatIsNeverReady_isGivenUp() throws Exception {
    home("never ready");
    try (StandaloneProcess standalone = StandaloneProcess.start(home, false)) {
      assertThatThrownBy(() -> standalone.awaitReady(Duration.ofSeconds(3)))
          .isInstanceOf(Failure.class)
          .hasMessageContaining("is not ready after 3.00 s:")
          .hasMessageContaining("starting, never ready");
    }
    assertNothingIsLeft();
  }

  @Test
  void standalone_thatDoesNotEnd_isKilled() throws Exception {
    home("stubborn");
    StandaloneProcess standalone = StandaloneProcess.start(home, false);
    standalone.awaitReady(StandaloneProcess.READY_MAX);
    standalone.end(Duration.ofMillis(300));

    assertNothingIsLeft();
    standalone.close(); // again, without harm
  }

  @Test
  void standalone_thatIsNotBuilt_isNamed() {
    assertThatThrownBy(() -> StandaloneProcess.start(home, false))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("standalone.jar is missing");
  }

  private CommandRun demo(String behaviour, String... more) throws IOException {
    home(behaviour);
    System.setProperty("tocsin.home", home.toString());
    return CommandRun.of(
        java.util.stream.Stream.concat(java.util.stream.Stream.of("demo"), Arrays.stream(more))
            .toArray(String[]::new));
  }

  /** A project folder whose standalone.jar runs the stand-in, off this test's class path. */
  private void home(String behaviour) throws IOException {
    Path target = Files.createDirectories(home.resolve("standalone/target"));
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest
        .getMainAttributes()
        .put(
            Attributes.Name.CLASS_PATH,
            Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toUri().toString())
                .collect(Collectors.joining(" ")));
    try (OutputStream file = Files.newOutputStream(target.resolve("standalone.jar"));
        JarOutputStream jar = new JarOutputStream(file, manifest)) {
      jar.putNextEntry(new JarEntry("behaviour.txt"));
      jar.write((behaviour + "\n" + home.resolve("trace")).getBytes(StandardCharsets.UTF_8));
    }
  }

  private List<String> trace() throws IOException {
    return Files.readAllLines(home.resolve("trace"));
  }

  private void assertNothingIsLeft() throws IOException {
    assertThat(ProcessHandle.of(Long.parseLong(trace().get(0))).filter(ProcessHandle::isAlive))
        .isEmpty();
    assertThat(Path.of(trace().get(1))).doesNotExist();
  }
}
