package dev.tocsin.ingest;

import java.util.LinkedHashSet;
import java.util.Set;

/**
 * The streams whose callers do not take their answers now, the longest first. What waits for a
 * caller is held by no bound of the process, since the log has it already; so no more than so many
 * streams may wait at once, and one more cuts the one that has waited longest.
 *
 * <p>Thread-safe.
 */
final class SlowStreams {
  private final int max;
  private final Runnable onCut;
  private final Set<AckStream<?>> waiting = new LinkedHashSet<>(); // under its lock

  /**
   * None yet.
   *
   * @param max that may wait at once
   * @param onCut is run for each that is cut
   */
  SlowStreams(int max, Runnable onCut) {
    this.max = max;
    this.onCut = onCut;
  }

  /** A stream begins to wait for its caller. */
  void add(AckStream<?> stream) {
    AckStream<?> longest = null;
    synchronized (waiting) {
      waiting.add(stream);
      if (waiting.size() > max) {
        longest = waiting.iterator().next();
        waiting.remove(longest);
      }
    }
    if (longest != null) {
      onCut.run();
      longest.cut();
    }
  }

  /** It waits no longer, or has ended. */
  void remove(AckStream<?> stream) {
    synchronized (waiting) {
      waiting.remove(stream);
    }
  }

  /** How many wait. */
  int count() {
    synchronized (waiting) {
      return waiting.size();
    }
  }
}
