package dev.tocsin.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * {@code edge-alert}: runs {@link EdgeAlertBenchmark} by JMH, in a JVM of its own for each round.
 */
final class AlertBench {
  private static final int WARM_UP_STEPS = 5;
  private static final int STEPS = 8;

  private final EdgeStand stand;
  private final Rounds rounds;

  AlertBench(EdgeStand stand, Rounds rounds) {
    this.stand = stand;
    this.rounds = rounds;
  }

  /**
   * Measures; the warm-up takes a little more than half as long again.
   *
   * @throws IllegalStateException if it fails in JMH's hands
   */
  BenchResult run() throws IOException {
    // What its JVMs say would else stand among the rows.
    Path said = stand.newFolder("jmh").resolve("jmh.log");
    TimeValue step = TimeValue.milliseconds(rounds.measured().toMillis() / STEPS);
    System.setProperty("jmh.ignoreLock", "true"); // another's run elsewhere is no reason to fail
    try {
      RunResult result =
          new Runner(
                  new OptionsBuilder()
                      .include(EdgeAlertBenchmark.class.getName())
                      .forks(rounds.count())
                      .jvmArgs("-Xmx512m")
                      .warmupIterations(WARM_UP_STEPS)
                      .warmupTime(step)
                      .measurementIterations(STEPS)
                      .measurementTime(step)
                      .shouldFailOnError(true)
                      .verbosity(VerboseMode.SILENT)
                      .output(said.toString())
                      .build())
              .runSingle();
      return result(result);
    } catch (RunnerException e) {
      throw new IllegalStateException(e);
    }
  }

  private BenchResult result(RunResult result) {
    List<BenchResult.Round> measured =
        result.getBenchmarkResults().stream()
            .map(fork -> BenchResult.Round.of(fork.getPrimaryResult().getScore()))
            .toList();
    measured.forEach(
        round -> rounds.progress().printf("edge-alert: %.3f us/alert%n", round.ours()));
    return BenchResult.of("edge-alert", "us/alert", measured, Double.NaN, Double.NaN);
  }
}
