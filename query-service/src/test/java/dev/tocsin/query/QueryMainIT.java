package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QueryMainIT {
  private static Process run(Path configuration) throws Exception {
    ProcessBuilder child =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            QueryMain.class.getName(),
            configuration.toString());
    child.environment().remove("JAVA_TOOL_OPTIONS"); // Java would say on its output that it took it
    return child.start();
  }

  @Test
  void main_exitsWith78AndALineForEachFault(@TempDir Path folder) throws Exception {
    Path configuration = folder.resolve("query.properties");
    Files.writeString(configuration, "query.port=70000\nquery.timeout=soon\nquery.tiemout=5s\n");
    Process process = run(configuration);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(78);
    assertThat(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
        .hasLineCount(4)
        .contains("query.processors: is missing")
        .contains("query.port: must be")
        .contains("query.timeout: must be")
        .contains("query.tiemout: no such setting");
  }

  @Test
  void main_servesUntilItIsTerminatedAndEndsCleanly(@TempDir Path folder) throws Exception {
    Path configuration = folder.resolve("query.properties");
    Files.writeString(configuration, "kafka.bootstrap.servers=127.0.0.1:1\nquery.processors=127.0.0.1:1\nquery.port=0\nops.port=0\n");
    Process process = run(configuration);
    try {
      assertThat(process.inputReader().readLine()).startsWith("query-service serves on port ");
      process.destroy();
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(128 + 15);
    } finally {
      process.destroyForcibly();
    }
  }
}
