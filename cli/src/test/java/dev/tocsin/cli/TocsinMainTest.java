package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.TypeConversionException;

class TocsinMainTest {
  @Test
  void help_listsEveryCommand() {
    CommandRun run = CommandRun.of("--help");

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .contains(
            "up ",
            "demo ",
            "alert ",
            "incident ",
            "silence ",
            "digest ",
            "bench ",
            "chaos ",
            "completion ",
            "Exit codes:");
  }

  @Test
  void help_hasExamplesForEveryCommand() {
    for (List<String> path : commands()) {
      List<String> args = new ArrayList<>(path);
      args.add("--help");
      CommandRun run = CommandRun.of(args.toArray(String[]::new));

      assertThat(run.exitCode()).as(path.toString()).isZero();
      assertThat(run.out())
          .as(path.toString())
          .contains("Examples:", "tocsin " + String.join(" ", path));
    }
  }

  @Test
  void help_ofEveryCommandFitsItsLines() {
    for (List<String> path : commands()) {
      List<String> args = new ArrayList<>(path);
      args.add("--help");
      assertThat(CommandRun.of(args.toArray(String[]::new)).out().lines())
          .as(path.toString())
          .allMatch(line -> line.length() <= 100);
    }
  }

  @Test
  void wrongUsage_isTwo() {
    assertThat(CommandRun.of().exitCode()).isEqualTo(2);
    assertThat(CommandRun.of("alert").exitCode()).isEqualTo(2);
    assertThat(CommandRun.of("incident").exitCode()).isEqualTo(2);
    assertThat(CommandRun.of("nonsense").exitCode()).isEqualTo(2);
    assertThat(CommandRun.of("incident", "get").exitCode()).isEqualTo(2);
    assertThat(CommandRun.of("digest", "--nonsense").exitCode()).isEqualTo(2);
    assertThat(CommandRun.of("digest", "--timeout", "soon").exitCode()).isEqualTo(2);
  }

  @Test
  void colours_areForAPersonWhoLooksAtThatStream() {
    assertThat(shown(true, false, "digest", "--nonsense")).doesNotContain("\u001b");
    assertThat(shown(false, true, "digest", "--nonsense")).contains("\u001b");
    assertThat(shown(true, false, "--help")).contains("\u001b");
    assertThat(shown(false, true, "--help")).doesNotContain("\u001b");
  }

  /** What comes of it on both streams together. */
  private static String shown(boolean out, boolean err, String... args) {
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(both, true, StandardCharsets.UTF_8);
    ByteArrayInputStream in = new ByteArrayInputStream(new byte[0]);
    int unused = TocsinMain.run(args, new Terminal(in, stream, stream, out, err, 120));
    return both.toString(StandardCharsets.UTF_8);
  }

  @Test
  void target_mustBeHostAndPort() {
    for (String target :
        List.of("", "localhost", "localhost:", ":9000", "a:b", "h:70000", "h:1/x")) {
      CommandRun run = CommandRun.of("--target", target, "digest");
      assertThat(run.exitCode()).as(target).isEqualTo(2);
      assertThat(run.err()).contains("is not HOST:PORT");
    }
  }

  @Test
  void launchersCommands_sayWhoRunsThem() {
    for (String command : List.of("up", "bench", "chaos")) {
      CommandRun run = CommandRun.of(command, "--port", "1", "more");
      assertThat(run.exitCode()).isEqualTo(2);
      assertThat(run.err()).contains("./tocsin " + command);
    }
  }

  @Test
  void demo_withoutABuild_saysWhatIsMissing() {
    CommandRun run = CommandRun.of("demo", "--file", "/nonexistent.jsonl");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("/nonexistent.jsonl: no such file");
    assertThat(CommandRun.of("demo").err()).contains("the project's root is not known");
  }

  @Test
  void durations_areReadWithTheirUnits() {
    Map<String, Duration> forms =
        Map.of(
            "500ms", Duration.ofMillis(500),
            "10s", Duration.ofSeconds(10),
            "1.5s", Duration.ofMillis(1500),
            "2m", Duration.ofMinutes(2),
            "1h", Duration.ofHours(1),
            "3", Duration.ofSeconds(3));
    forms.forEach((text, time) -> assertThat(new Durations().convert(text)).isEqualTo(time));
    for (String text : List.of("", "0s", "-1s", "1d", "25h", "ten", "1e3s")) {
      assertThatThrownBy(() -> new Durations().convert(text))
          .as(text)
          .isInstanceOf(TypeConversionException.class);
    }
  }

  @Test
  void sample_isAllAlerts_andSmall() throws IOException {
    byte[] sample;
    try (var in = TocsinMainTest.class.getResourceAsStream("/demo-alerts.jsonl")) {
      sample = in.readAllBytes();
    }
    long alerts = 0;
    try (AlertLines lines = new AlertLines(new ByteArrayInputStream(sample))) {
      for (var line = lines.next(); line != null; line = lines.next()) {
        assertThat(line.fault()).as("line %d", line.number()).isNull();
        assertThat(line.alert().getSource()).isNotEmpty();
        assertThat(line.alert().getTitle()).isNotEmpty();
        alerts++;
      }
    }
    assertThat(alerts).isBetween(1_400L, 1_600L);
    assertThat(sample).hasSizeLessThan(500_000);
  }

  private static List<List<String>> commands() {
    PrintStream none =
        new PrintStream(PrintStream.nullOutputStream(), true, StandardCharsets.UTF_8);
    Terminal terminal =
        new Terminal(new ByteArrayInputStream(new byte[0]), none, none, false, false, 120);
    List<List<String>> found = new ArrayList<>();
    collect(TocsinMain.commandLine(terminal), List.of(), found);
    return found;
  }

  private static void collect(CommandLine command, List<String> path, List<List<String>> found) {
    found.add(path);
    command
        .getSubcommands()
        .forEach(
            (name, sub) -> {
              List<String> below = new ArrayList<>(path);
              below.add(name);
              collect(sub, below, found);
            });
  }
}
