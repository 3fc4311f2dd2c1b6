package dev.tocsin.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The benches' short form: that they run, end, and find what they are to find; not how fast. */
class BenchMainIT {
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
    assertThat(run("--json", "--rounds", "1", "--seconds", "1")).isZero();

    assertThat(printed.toString(StandardCharsets.UTF_8).lines())
        .satisfiesExactly(
            stream -> assertThat(stream).matches(row("edge-stream")),
            batch -> assertThat(batch).matches(row("edge-batch")),
            jwt -> assertThat(jwt).matches(row("edge-stream-jwt")),
            tls -> assertThat(tls).matches(row("edge-stream-tls")));
    assertThat(ProcessHandle.current().children().filter(this::isBroker)).isEmpty();
  }

  @Test
  void bench_thatThereIsNot_isRefused() {
    assertThat(run("edge-strem")).isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(printed.toString(StandardCharsets.UTF_8))
        .contains("no such bench: edge-strem")
        .contains("edge-stream");
  }

  private int run(String... args) {
    PrintStream all = new PrintStream(printed, true, StandardCharsets.UTF_8);
    System.setOut(all);
    if (args.length == 1) {
      System.setErr(all);
    }
    return new CommandLine(new BenchMain()).execute(args);
  }

  private boolean isBroker(ProcessHandle child) {
    return child.info().commandLine().filter(line -> line.contains("BrokerMain")).isPresent();
  }

  private static String row(String bench) {
    String positive = "[1-9][0-9]*";
    String fraction = "[0-9]+\\.[0-9]+";
    return "\\{\"bench\":\"%s\",\"ours\":%s,\"reference\":%s,\"ratio\":%s,\"unit\":\"alerts/s\",\"p50_ms\":%s,\"p99_ms\":%s\\}"
        .formatted(bench, positive, positive, fraction, fraction, fraction);
  }
}
