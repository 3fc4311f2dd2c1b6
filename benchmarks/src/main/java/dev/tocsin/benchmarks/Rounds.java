package dev.tocsin.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;

/**
 * How the rounds of a bench go.
 *
 * @param count of ours and the reference
 * @param measured time of each
 * @param progress is told of each
 */
record Rounds(int count, Duration measured, PrintStream progress) {
  private static final Duration SETTLE_MAX = Duration.ofSeconds(1);
  private static final Duration STEP_MAX = Duration.ofSeconds(5);
  private static final Duration WARM_UP_MAX = Duration.ofSeconds(90);

  /** Rounds that take less time are to show only that the benches run. */
  private static final Duration SHORT = Duration.ofSeconds(3);

  private static final int SHORT_PART = 40;

  /** A rate that is less than so much above the best before has not risen. */
  private static final double RISE_MIN = 1.03;

  /** So many steps in a row that did not rise: it is warm. */
  private static final int FLAT_STEPS = 4;

  /** Something that has a rate. */
  interface Load {
    /** So many a second, for this time. */
    double run(Duration time) throws IOException, InterruptedException;
  }

  /** It is to show that the benches run: what it measures proves nothing. */
  boolean isShort() {
    return measured.compareTo(SHORT) < 0;
  }

  /** For a bench whose work is of a fixed size: this, or a small part of it. */
  long work(long whole) {
    return isShort() ? whole / SHORT_PART : whole;
  }

  /** For a bench that has to go on for this time whatever is asked for. */
  Duration atLeast(Duration time) {
    return isShort() || measured.compareTo(time) > 0 ? measured : time;
  }

  /** How long a load runs before it is measured, so that its connections are up to speed. */
  Duration settle() {
    return min(SETTLE_MAX, measured);
  }

  /** How long a warm-up may take; one step only before rounds of a second, which prove nothing. */
  Duration warmUpMax() {
    Duration most = measured.minusSeconds(1).multipliedBy(12);
    return most.isZero() ? measured : min(WARM_UP_MAX, most);
  }

  /**
   * Runs a load until its rate no longer rises: the JIT compiler of what serves it has to have seen
   * it for longer than one would think. Bounded by {@link #warmUpMax}.
   */
  void warmUp(String what, Load load) throws IOException, InterruptedException {
    Duration step = min(STEP_MAX, measured);
    long steps = warmUpMax().dividedBy(step);
    double best = 0;
    int flat = 0;
    for (int i = 0; i < steps && flat < FLAT_STEPS; i++) {
      double rate = load.run(step);
      flat = rate < best * RISE_MIN ? flat + 1 : 0;
      best = Math.max(best, rate);
      progress.printf("%s, warming up: %,.0f/s%n", what, rate);
    }
  }

  private static Duration min(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }
}
