package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The launcher script, with modules that are built and a java that says what it was given. */
class LauncherTest {
  private static final String CHECK = "dev.tocsin.ops.RulesCheckMain";
  private static final String CLI = "dev.tocsin.cli.TocsinMain";

  @TempDir Path folder;

  @BeforeEach
  void makeProject() throws IOException {
    Files.copy(Path.of("../tocsin"), folder.resolve("tocsin"), StandardCopyOption.COPY_ATTRIBUTES);
    Files.createFile(folder.resolve("pom.xml"));
    for (String module : List.of("proto", "schemas", "engine", "runtime", "ops", "cli")) {
      Files.createDirectories(folder.resolve(module));
    }
    makeBuilt("ops");
    makeBuilt("cli");
    makeProgram("jdk/bin/java", "printf '%s\\n' \"$@\"");
    Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"17.0.1\"\n");
  }

  private void makeBuilt(String module) throws IOException {
    Files.createDirectories(folder.resolve(module + "/target/lib"));
    Files.createFile(folder.resolve(module + "/target/" + module + ".jar"));
  }

  private void makeProgram(String file, String script) throws IOException {
    Path program = folder.resolve(file);
    Files.createDirectories(program.getParent());
    Files.writeString(program, "#!/bin/sh\n" + script + "\n");
    assertThat(program.toFile().setExecutable(true)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "rules check F, F",
    "rules check --json F, --json F",
    "--json rules check F, --json F",
    "--target X rules check F, F",
    "--target=X --timeout 5s --json rules check F, --json F",
    "rules --target X check F, F",
    "rules check --target X F, F",
    "rules check check, check",
    "rules check rules, rules",
    "rules check, ''",
  })
  void rulesCheck_isTheOfflineOne_whereverOptionsStand(String line, String given) throws Exception {
    assertThat(run(line)).containsExactly(CHECK, given);
  }

  @ParameterizedTest
  @CsvSource({
    "rules show",
    "--target rules rules show",
    "--target rules check",
    "rules",
    "--json",
    "--target",
    "alert send --title rules check",
  })
  void anythingElse_isTheCommandLines(String line) throws Exception {
    assertThat(run(line)).containsExactly(CLI, line);
  }

  @Test
  void argumentsWithBlanks_stayWhole() throws Exception {
    assertThat(run(List.of("--json", "rules", "check", "a b"))).endsWith("--json", "a b");
  }

  @Test
  void bench_buildsTheJobInFlink_onlyWhenItIsNamed() throws Exception {
    for (String module : List.of("access", "broker", "ingest-grpc", "benchmarks-flink")) {
      Files.createDirectories(folder.resolve(module));
    }
    for (String module : List.of("streams-processor", "query-service", "standalone")) {
      Files.createDirectories(folder.resolve(module));
    }
    makeBuilt("benchmarks");
    makeProgram("jdk/bin/javac", "");
    makeProgram(
        "mvnw",
        "echo mvnw \"$@\"; mkdir -p benchmarks-flink/target/lib;"
            + " touch benchmarks-flink/target/benchmarks-flink.jar");

    assertThat(run(List.of("bench", "edge-stream"))).noneMatch(line -> line.startsWith("mvnw"));
    assertThat(run(List.of("bench", "edge-stream", "processor-flink")))
        .anyMatch(line -> line.matches("mvnw .*-Pflink .*-pl benchmarks-flink -am package"));
  }

  /** The main class, and what it is given. */
  private List<String> run(String line) throws Exception {
    List<String> printed = run(List.of(line.split(" ")));
    int main = printed.indexOf(CHECK) < 0 ? printed.indexOf(CLI) : printed.indexOf(CHECK);
    return List.of(printed.get(main), String.join(" ", printed.subList(main + 1, printed.size())));
  }

  private List<String> run(List<String> arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("sh", folder.resolve("tocsin").toString()));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", folder.resolve("jdk").toString());
    builder.environment().remove("TOCSIN_JAVA_OPTS");
    Process process = builder.start();
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(out).isZero();
    return out.lines().toList();
  }
}
