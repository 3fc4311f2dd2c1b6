package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessorMainTest {
  @TempDir Path folder;

  @Test
  void main_tellsEveryFaultInALineOfItsOwnAndExitsWith78() throws Exception {
    Path file = folder.resolve("processor.properties");
    Files.writeString(
        file,
        """
        processor.threads = none
        processor.commit-interval = 1ms
        processor.spelt-wrong = 1
        processor.skip = 1:2, 3-4
        log.prefix = not a topic!
        """);
    Path out = folder.resolve("out");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                ProcessorMain.class.getName(),
                file.toString())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    List<String> lines = Files.readAllLines(out, StandardCharsets.UTF_8);
    assertThat(process.exitValue()).as(String.join("\n", lines)).isEqualTo(78);
    for (String name :
        List.of(
            "processor.threads",
            "processor.commit-interval",
            "processor.spelt-wrong",
            "processor.skip",
            "log.prefix",
            "kafka.bootstrap.servers")) {
      assertThat(lines).as(name).filteredOn(line -> line.contains(name)).hasSize(1);
    }
    assertThat(lines).noneMatch(line -> line.contains("\tat "));
  }
}
