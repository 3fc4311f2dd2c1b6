package dev.tocsin.benchmarks;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What a bench found: ours and the reference from the same run on the same machine. The medians are
 * shown; the ratio is the median of the rounds' own ratios, since a machine's speed drifts between
 * rounds.
 *
 * @param unit of ours and of the reference
 * @param p50Ms median latency of ours, in milliseconds
 * @param p99Ms 99th percentile of it
 */
record BenchResult(
    String bench,
    double ours,
    double reference,
    double ratio,
    String unit,
    double p50Ms,
    double p99Ms) {
  /** One round: ours and the reference, one right after the other. */
  record Round(double ours, double reference) {}

  static BenchResult of(String bench, String unit, List<Round> rounds, double p50Ms, double p99Ms) {
    return new BenchResult(
        bench,
        median(rounds.stream().mapToDouble(Round::ours).toArray()),
        median(rounds.stream().mapToDouble(Round::reference).toArray()),
        median(rounds.stream().mapToDouble(round -> round.ours() / round.reference()).toArray()),
        unit,
        p50Ms,
        p99Ms);
  }

  static String header() {
    return "%-14s %12s %12s %7s  %-10s %8s %8s"
        .formatted("bench", "ours", "reference", "ratio", "unit", "p50 ms", "p99 ms");
  }

  String row() {
    return String.format(
        Locale.ROOT,
        "%-14s %,12.0f %,12.0f %7.2f  %-10s %8.2f %8.2f",
        bench,
        ours,
        reference,
        ratio,
        unit,
        p50Ms,
        p99Ms);
  }

  String json() {
    return String.format(
        Locale.ROOT,
        "{\"bench\":\"%s\",\"ours\":%.0f,\"reference\":%.0f,\"ratio\":%.3f,\"unit\":\"%s\",\"p50_ms\":%.2f,\"p99_ms\":%.2f}",
        bench,
        ours,
        reference,
        ratio,
        unit,
        p50Ms,
        p99Ms);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
