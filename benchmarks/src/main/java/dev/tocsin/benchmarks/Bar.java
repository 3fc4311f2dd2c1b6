package dev.tocsin.benchmarks;

import java.util.Locale;
import java.util.function.Predicate;

/**
 * What a row has to reach.
 *
 * @param text as it is shown; empty if nothing was set
 * @param test whether a result reaches it
 */
record Bar(String text, Predicate<BenchResult> test) {
  /** Nothing was set: the row is for comparison. */
  static final Bar NONE = new Bar("", result -> true);

  /** Ours is at least so many times the reference. */
  static Bar ratioAtLeast(double least) {
    return new Bar(text("ratio >= %.2f", least), result -> result.ratio() >= least);
  }

  /** Ours is at most so many times the reference. */
  static Bar ratioAtMost(double most) {
    return new Bar(text("ratio <= %.2f", most), result -> result.ratio() <= most);
  }

  /** Ours is less than this, in the row's own unit. */
  static Bar oursBelow(double bound, String unit) {
    return new Bar(text("ours < %.0f %s", bound, unit), result -> result.ours() < bound);
  }

  /** So many milliseconds in the median. */
  static Bar p50AtMost(double ms) {
    return new Bar(text("p50 <= %.0f ms", ms), result -> result.p50Ms() <= ms);
  }

  /** So many milliseconds at the 99th percentile. */
  static Bar p99Below(double ms) {
    return new Bar(text("p99 < %.0f ms", ms), result -> result.p99Ms() < ms);
  }

  /** A figure of the row is at most this. */
  static Bar figureAtMost(String figure, double most) {
    return new Bar(
        text("%s <= %.0f", figure, most), result -> result.figures().get(figure) <= most);
  }

  /** Both. */
  Bar and(Bar other) {
    return new Bar(text + ", " + other.text, test.and(other.test));
  }

  boolean isSet() {
    return !text.isEmpty();
  }

  /** {@code met} or {@code NOT MET}; a dash if nothing was set. */
  String verdict(BenchResult result) {
    if (!isSet()) {
      return "-";
    }
    return test.test(result) ? "met" : "NOT MET";
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
