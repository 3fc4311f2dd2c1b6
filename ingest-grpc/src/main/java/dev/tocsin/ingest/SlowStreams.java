package dev.tocsin.ingest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * The streams whose callers do not take their answers now, the longest first. What waits for a
 * caller is held by no bound of the process, since the log has it already; so no more than so many
 * streams may wait for long, and four times as many at all: one more cuts the one that has waited
 * longest. Every busy stream waits now and then for a moment, and many do at once after a pause.
 *
 * <p>Thread-safe.
 */
final class SlowStreams {
  /** A stream that has waited for less is cut only at four times the bound. */
  static final Duration PATIENCE = Duration.ofSeconds(3);

  private static final int BURST = 4;

  private final int max;
  private final Runnable onCut;
  private final LongSupplier nanoTime;

  /** Since when each waits. */
  private final Map<Waiting, Long> sinceNanos = new LinkedHashMap<>(); // under its lock

  /** What can be cut. */
  interface Waiting {
    /** It is to end now, without its answers. */
    void cut();
  }

  /**
   * None yet.
   *
   * @param max that may wait for long
   * @param onCut is run for each that is cut
   */
  SlowStreams(int max, Runnable onCut) {
    this(max, onCut, System::nanoTime);
  }

  SlowStreams(int max, Runnable onCut, LongSupplier nanoTime) {
    this.max = max;
    this.onCut = onCut;
    this.nanoTime = nanoTime;
  }

  /** A stream begins to wait for its caller. */
  void add(Waiting stream) {
    for (Waiting longest : beyondTheBound(stream)) {
      onCut.run();
      longest.cut();
    }
  }

  /** Also those that were left alone while they had waited for a moment only. */
  private List<Waiting> beyondTheBound(Waiting added) {
    List<Waiting> beyond = new ArrayList<>();
    synchronized (sinceNanos) {
      long now = nanoTime.getAsLong();
      sinceNanos.put(added, now);
      Iterator<Map.Entry<Waiting, Long>> longest = sinceNanos.entrySet().iterator();
      while (sinceNanos.size() > max) {
        Map.Entry<Waiting, Long> first = longest.next();
        boolean tooMany = sinceNanos.size() > (long) BURST * max;
        if (!tooMany && now - first.getValue() < PATIENCE.toNanos()) {
          break;
        }
        beyond.add(first.getKey());
        longest.remove();
      }
    }
    return beyond;
  }

  /** It waits no longer, or has ended. */
  void remove(Waiting stream) {
    synchronized (sinceNanos) {
      sinceNanos.remove(stream);
    }
  }

  /** How many wait. */
  int count() {
    synchronized (sinceNanos) {
      return sinceNanos.size();
    }
  }
}
