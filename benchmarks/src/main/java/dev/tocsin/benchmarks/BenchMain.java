package dev.tocsin.benchmarks;

import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code tocsin bench}: runs what is asked for, and prints a table of ratios against references
 * measured in the same run.
 */
@Command(
    name = "tocsin bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures ours and a reference in turn, on this machine, and prints the ratio.",
      "",
      "  edge-stream   StreamAlerts, one alert a message, each acked by acks=all,",
      "                against Kafka's own producer benchmark",
      "  edge-batch    StreamAlertBatches of 100, against the same",
      "  edge-stream-jwt, edge-stream-tls",
      "                edge-stream of callers with tokens, or over TLS, against one without",
      "",
      "Everything that is started ends with it. Without a name all benches run."
    },
    footer = {
      "",
      "Examples:",
      "  ./tocsin bench edge-stream --rounds 5",
      "  ./tocsin bench --json"
    })
final class BenchMain implements Callable<Integer> {
  private interface Bench {
    BenchResult run(EdgeBench edge) throws IOException, InterruptedException;
  }

  private static final Map<String, Bench> BENCHES = benches();

  @Parameters(arity = "0..*", paramLabel = "BENCH", description = "Which; all if none is named.")
  private List<String> names = List.of();

  @Option(names = "--json", description = "One JSON object a row in place of the table.")
  private boolean json;

  @Option(
      names = "--rounds",
      defaultValue = "3",
      description = "Rounds of ours and reference (default: 3).")
  private int rounds;

  @Option(
      names = "--seconds",
      defaultValue = "8",
      description = "Measured time of a round (default: 8).")
  private int seconds;

  public static void main(String[] args) {
    System.exit(new CommandLine(new BenchMain()).execute(args));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (rounds < 1 || rounds > 100 || seconds < 1 || seconds > 600) {
      System.err.println("--rounds must be from 1 to 100, --seconds from 1 to 600");
      return CommandLine.ExitCode.USAGE;
    }
    List<String> unknown = names.stream().filter(name -> !BENCHES.containsKey(name)).toList();
    if (!unknown.isEmpty()) {
      System.err.println(
          "no such bench: " + String.join(", ", unknown) + "; there are " + BENCHES.keySet());
      return CommandLine.ExitCode.USAGE;
    }
    try (EdgeStand stand = EdgeStand.start()) {
      EdgeBench edge =
          new EdgeBench(
              stand, new EdgeBench.Rounds(rounds, Duration.ofSeconds(seconds)), System.err);
      if (!json) {
        System.out.println(BenchResult.header());
      }
      for (String name : names.isEmpty() ? BENCHES.keySet() : names) {
        BenchResult result = BENCHES.get(name).run(edge);
        System.out.println(json ? result.json() : result.row());
      }
    }
    return CommandLine.ExitCode.OK;
  }

  /** In the order in which they run and are shown. */
  private static Map<String, Bench> benches() {
    Map<String, Bench> benches = new LinkedHashMap<>();
    benches.put("edge-stream", EdgeBench::stream);
    benches.put("edge-batch", EdgeBench::batch);
    benches.put("edge-stream-jwt", EdgeBench::streamWithTokens);
    benches.put("edge-stream-tls", EdgeBench::streamWithTls);
    return Collections.unmodifiableMap(benches);
  }
}
