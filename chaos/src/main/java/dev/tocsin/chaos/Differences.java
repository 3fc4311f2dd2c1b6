package dev.tocsin.chaos;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What is not as it should be. Each is said at once, as it may be what a person wants to look at
 * while everything still runs. Thread-safe.
 */
final class Differences {
  /** Kept, and said; more of them would say nothing new. All are counted. */
  private static final int KEPT_MAX = 50;

  private final PrintStream progress;
  private final List<String> kept = new ArrayList<>();
  private long count;
  private boolean ended;

  Differences(PrintStream progress) {
    this.progress = progress;
  }

  /** One more, in words, as {@link String#format} takes them. */
  synchronized void add(String format, Object... values) {
    if (ended) {
      return;
    }
    count++;
    if (kept.size() < KEPT_MAX) {
      String text = String.format(Locale.ROOT, format, values);
      kept.add(text);
      progress.println("DIFFERENCE: " + text);
    }
  }

  /** From now on the parts are being ended, and what that brings about is none. */
  synchronized void end() {
    ended = true;
  }

  synchronized long count() {
    return count;
  }

  /** The first of them. */
  synchronized List<String> kept() {
    return List.copyOf(kept);
  }
}
