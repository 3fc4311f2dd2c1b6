package dev.tocsin.benchmarks;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;

/**
 * What a bench found: ours and, where there is one, the reference from the same run on the same
 * machine. The medians of the rounds are shown, of latencies too; the ratio is the median of the
 * rounds' own ratios, since a machine's speed drifts between rounds. What a row has not is NaN.
 *
 * @param unit of ours and of the reference
 * @param p50Ms median latency of ours in the median round, in milliseconds
 * @param p99Ms 99th percentile of it, likewise
 * @param figures what else the row is about, by name; the unit ends the name
 */
record BenchResult(
    String bench,
    double ours,
    double reference,
    double ratio,
    String unit,
    double p50Ms,
    double p99Ms,
    Map<String, Double> figures) {
  /** One round: ours and the reference, one right after the other. */
  record Round(double ours, double reference) {
    /** A round of what has no reference. */
    static Round of(double ours) {
      return new Round(ours, Double.NaN);
    }
  }

  BenchResult {
    figures = Collections.unmodifiableMap(new LinkedHashMap<>(figures));
  }

  static BenchResult of(String bench, String unit, List<Round> rounds, double p50Ms, double p99Ms) {
    return new BenchResult(
        bench,
        median(rounds.stream().mapToDouble(Round::ours).toArray()),
        median(rounds.stream().mapToDouble(Round::reference).toArray()),
        median(rounds.stream().mapToDouble(round -> round.ours() / round.reference()).toArray()),
        unit,
        p50Ms,
        p99Ms,
        Map.of());
  }

  /**
   * With the latency of each round.
   *
   * @param latencyMicros of a round each
   */
  static BenchResult of(
      String bench, String unit, List<Round> rounds, List<Histogram> latencyMicros) {
    return of(bench, unit, rounds, medianMs(latencyMicros, 50), medianMs(latencyMicros, 99));
  }

  /** The median over the rounds of a percentile. */
  static double medianMs(List<Histogram> latencyMicros, double percentile) {
    return median(
        latencyMicros.stream()
            .mapToDouble(each -> each.getValueAtPercentile(percentile) / 1e3)
            .toArray());
  }

  BenchResult with(Map<String, Double> more) {
    return new BenchResult(bench, ours, reference, ratio, unit, p50Ms, p99Ms, more);
  }

  static String header() {
    return row("bench", "ours", "reference", "ratio", "unit", "p50 ms", "p99 ms", "", "bar");
  }

  /** As the table has it; the figures stand in a line below. */
  String row(Bar bar) {
    String row =
        row(
            bench,
            number(ours),
            number(reference),
            number("%.2f", ratio),
            unit,
            number("%.2f", p50Ms),
            number("%.2f", p99Ms),
            bar.verdict(this),
            bar.text());
    return (row + figures("%n    ", "%s %s", ", ", "")).stripTrailing();
  }

  /** One object in a line. */
  String json(Bar bar) {
    return "{\"bench\":\"%s\",\"ours\":%s,\"reference\":%s,\"ratio\":%s,\"unit\":\"%s\",\"p50_ms\":%s,\"p99_ms\":%s%s%s}"
        .formatted(
            bench,
            json(ours < 1_000 ? "%.3f" : "%.0f", ours),
            json(reference < 1_000 ? "%.3f" : "%.0f", reference),
            json("%.3f", ratio),
            unit,
            json("%.2f", p50Ms),
            json("%.2f", p99Ms),
            figures(",\"figures\":{", "\"%s\":%s", ",", "}"),
            bar.isSet()
                ? ",\"bar\":\"%s\",\"met\":%s".formatted(bar.text(), bar.test().test(this))
                : "");
  }

  private String figures(String before, String each, String between, String after) {
    if (figures.isEmpty()) {
      return "";
    }
    return figures.entrySet().stream()
        .map(one -> each.formatted(one.getKey(), json("%.1f", one.getValue())))
        .collect(Collectors.joining(between, before.formatted(), after));
  }

  private static String row(
      String bench,
      String ours,
      String reference,
      String ratio,
      String unit,
      String p50,
      String p99,
      String verdict,
      String bar) {
    return "%-17s %10s %10s %6s  %-10s %8s %8s  %-7s  %s"
        .formatted(bench, ours, reference, ratio, unit, p50, p99, verdict, bar);
  }

  /** Thousands whole, less with what is behind the point. */
  private static String number(double value) {
    return number(value < 1_000 ? "%.2f" : "%,.0f", value);
  }

  private static String number(String format, double value) {
    return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, format, value);
  }

  private static String json(String format, double value) {
    return Double.isNaN(value) ? "null" : String.format(Locale.ROOT, format, value);
  }

  /** NaN if there are NaNs. */
  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
