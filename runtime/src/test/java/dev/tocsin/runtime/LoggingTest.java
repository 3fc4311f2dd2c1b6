package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** In processes of their own, since a process has one log. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class LoggingTest {
  private static final int MORE_THAN_ANY_LINE_HOLDS = 100_000;

  private Process process;

  @AfterEach
  void end() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Test
  void lines_areAllThere_whenTheLogIsClosed() throws Exception {
    BufferedReader said = start(1_000);

    List<String> lines =
        process
            .errorReader(StandardCharsets.UTF_8)
            .lines()
            .filter(line -> !line.startsWith("Picked up ")) // by the JVM itself
            .toList();

    assertThat(said.readLine()).isEqualTo("logged");
    assertThat(lines).hasSize(1_000);
    assertThat(lines.get(999)).contains("WARN").endsWith("line 999");
    assertThat(process.waitFor()).isZero();
  }

  @Test
  void errorOutputThatNobodyReads_holdsNobodyUp() throws Exception {
    BufferedReader said = start(MORE_THAN_ANY_LINE_HOLDS);

    assertThat(said.readLine()).isEqualTo("logged");

    assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("ended").isTrue();
    assertThat(process.exitValue()).isZero();
  }

  private BufferedReader start(int lines) throws IOException {
    ProcessBuilder logs =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            Logs.class.getName(),
            Integer.toString(lines));
    logs.environment().remove("LOG4J_CONFIGURATION_FILE");
    process = logs.start();
    return process.inputReader(StandardCharsets.UTF_8);
  }

  /** A server that says much. */
  static final class Logs {
    public static void main(String[] args) {
      Logging.toStandardError(Settings.of(Map.of()));
      Logging.closeAtEnd(() -> {});
      for (int i = 0; i < Integer.parseInt(args[0]); i++) {
        LoggerFactory.getLogger(Logs.class).warn("line {}", i);
      }
      System.out.println("logged");
    }
  }
}
