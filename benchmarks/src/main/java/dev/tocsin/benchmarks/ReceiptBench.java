package dev.tocsin.benchmarks;

import dev.tocsin.broker.ChildJvm;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What it takes to recognize alerts that are sent again: an hour at 50,000 alerts a second. */
final class ReceiptBench {
  private static final long PER_SECOND = 50_000;
  private static final String RATE = "receipts_per_second";
  private static final Pattern FIGURE = Pattern.compile("([a-z_]+) (-?[0-9.]+)");

  private final EdgeStand stand;
  private final Rounds rounds;

  ReceiptBench(EdgeStand stand, Rounds rounds) {
    this.stand = stand;
    this.rounds = rounds;
  }

  BenchResult run() throws IOException, InterruptedException {
    long count = rounds.work(PER_SECOND * Duration.ofHours(1).toSeconds());
    List<String> arguments =
        List.of(
            stand.newFolder("receipts").toString(),
            Long.toString(count),
            Long.toString(PER_SECOND));
    Process process =
        stand.start(
            new ProcessBuilder(
                    ChildJvm.command(ReceiptCount.class.getName(), ServerProcess.FLAGS, arguments))
                .redirectErrorStream(true));
    Map<String, Double> figures = new LinkedHashMap<>();
    try (var said = process.inputReader()) {
      List<String> lines = said.lines().toList();
      if (process.waitFor() != 0) {
        throw new IOException(String.join(System.lineSeparator(), lines));
      }
      for (String line : lines) {
        Matcher figure = FIGURE.matcher(line); // a JVM may say something as well
        if (figure.matches()) {
          figures.put(figure.group(1), Double.valueOf(figure.group(2)));
        }
      }
    }
    double rate = figures.remove(RATE);
    return BenchResult.of(
            "receipts", "receipts/s", List.of(BenchResult.Round.of(rate)), Double.NaN, Double.NaN)
        .with(figures);
  }
}
