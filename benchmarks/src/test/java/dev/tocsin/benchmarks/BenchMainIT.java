package dev.tocsin.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The benches' short form: that they run, end, and find what they are to find; not how fast. */
class BenchMainIT {
  private static final String ALERTMANAGER = "edge-alertmanager";
  private static final String FLINK = "processor-flink";

  private final PrintStream out = System.out;
  private final PrintStream err = System.err;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  @AfterEach
  void restore() {
    System.setOut(out);
    System.setErr(err);
  }

  /** Of rows that differ by a setting or a load one is run. */
  @Test
  void bench_printsAnObjectForEachRow() {
    Map<String, String> expected = new LinkedHashMap<>();
    expected.put("edge-alert", row("edge-alert", "null", "us/alert", "null"));
    expected.put("edge-stream-jwt", row("edge-stream-jwt"));
    expected.put("edge-latency", row("edge-latency"));
    expected.put("edge-slow", row("edge-slow", NUMBER, "ms p99", NUMBER));
    expected.put("processor-hot", row("processor-hot", NUMBER, "alerts/s", "null"));
    expected.put("pipeline", row("pipeline", NUMBER, "alerts/s", "null"));
    expected.put("latency", row("latency", "null", "alerts/s", NUMBER));
    expected.put("receipts", row("receipts", "null", "receipts/s", "null"));
    expected.put("restore", row("restore", NUMBER, "incidents/s", "null"));
    expected.put("memory", row("memory", "null", "alerts/s", NUMBER));

    assertThat(run(List.copyOf(expected.keySet()))).isZero();

    List<String> lines = printed.toString(StandardCharsets.UTF_8).lines().toList();
    assertThat(lines).hasSameSizeAs(expected.keySet());
    Iterator<String> patterns = expected.values().iterator();
    lines.forEach(line -> assertThat(line).matches(patterns.next()));
    assertThat(ProcessHandle.current().children().filter(this::isOurs)).isEmpty();
  }

  @Test
  void bench_measuresAlertmanager() {
    try {
      MissingProgramException.require(Alertmanager.PROGRAM, WrkLoad.PROGRAM);
    } catch (MissingProgramException e) {
      assumeTrue(false, e.getMessage());
    }

    assertThat(run(List.of(ALERTMANAGER))).isZero();

    assertThat(printed.toString(StandardCharsets.UTF_8).strip()).matches(row(ALERTMANAGER));
    assertThat(ProcessHandle.current().children().filter(this::isOurs)).isEmpty();
  }

  @Test
  void bench_withoutFlink_saysHowToGetIt(@TempDir Path home) {
    System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
    String before = System.setProperty("tocsin.home", home.toString());
    try {
      assertThat(BenchMain.commandLine().execute(FLINK)).isEqualTo(CommandLine.ExitCode.SOFTWARE);
    } finally {
      if (before == null) {
        System.clearProperty("tocsin.home");
      } else {
        System.setProperty("tocsin.home", before);
      }
    }

    assertThat(printed.toString(StandardCharsets.UTF_8))
        .contains("processor-flink is not run")
        .contains("./tocsin bench processor-flink");
  }

  @Test
  void bench_thatThereIsNot_isRefused() {
    PrintStream all = new PrintStream(printed, true, StandardCharsets.UTF_8);
    System.setErr(all);

    assertThat(BenchMain.commandLine().execute("edge-strem")).isEqualTo(CommandLine.ExitCode.USAGE);

    assertThat(printed.toString(StandardCharsets.UTF_8))
        .contains("no such bench: edge-strem")
        .contains("edge-stream");
  }

  private static final String NUMBER = "[0-9]+(\\.[0-9]+)?";

  private int run(List<String> rows) {
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    return BenchMain.commandLine()
        .execute(
            Stream.concat(Stream.of("--json", "--rounds", "1", "--seconds", "1"), rows.stream())
                .toArray(String[]::new));
  }

  /** By its program: of its command line the system tells only the beginning. */
  private boolean isOurs(ProcessHandle child) {
    return child
        .info()
        .command()
        .filter(program -> program.matches(".*/(java|wrk|.*alertmanager)"))
        .isPresent();
  }

  private static String row(String bench) {
    return row(bench, NUMBER, "alerts/s", NUMBER);
  }

  private static String row(String bench, String reference, String unit, String latency) {
    return "\\{\"bench\":\"%s\",\"ours\":%s,\"reference\":%s,\"ratio\":%s,\"unit\":\"%s\",\"p50_ms\":%s,\"p99_ms\":%s.*\\}"
        .formatted(bench, NUMBER, reference, reference, unit, latency, latency);
  }
}
