package dev.tocsin.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The benches' short form: that they run, end, and find what they are to find; not how fast. */
class BenchMainIT {
  private static final String ALERTMANAGER = "edge-alertmanager";

  private final PrintStream out = System.out;
  private final PrintStream err = System.err;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  @AfterEach
  void restore() {
    System.setOut(out);
    System.setErr(err);
  }

  @Test
  void bench_printsAnObjectForEachRow() {
    List<String> rows =
        BenchRow.ALL.stream().map(BenchRow::name).filter(row -> !row.equals(ALERTMANAGER)).toList();

    assertThat(run(rows)).isZero();

    assertThat(printed.toString(StandardCharsets.UTF_8).lines())
        .satisfiesExactly(
            alert -> assertThat(alert).matches(row("edge-alert", "null", "us/alert", "null")),
            stream -> assertThat(stream).matches(row("edge-stream")),
            batch -> assertThat(batch).matches(row("edge-batch")),
            jwt -> assertThat(jwt).matches(row("edge-stream-jwt")),
            tls -> assertThat(tls).matches(row("edge-stream-tls")),
            latency -> assertThat(latency).matches(row("edge-latency")),
            many -> assertThat(many).matches(row("edge-many", "null", "alerts/s", NUMBER)),
            slow -> assertThat(slow).matches(row("edge-slow", NUMBER, "ms p99", NUMBER)));
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

  private boolean isOurs(ProcessHandle child) {
    return child
        .info()
        .commandLine()
        .filter(line -> line.matches(".*(BrokerMain|EdgeMain|alertmanager|wrk).*"))
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
