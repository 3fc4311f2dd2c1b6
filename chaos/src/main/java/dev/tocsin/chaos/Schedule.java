package dev.tocsin.chaos;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/**
 * Which fault comes when. The same seed and kinds give the same faults in the same order; how many
 * of them a run has depends on how fast the machine heals. All kinds come once before any comes
 * again. Not thread-safe.
 */
final class Schedule {
  private static final int PAUSE_MS_MIN = 500;
  private static final int PAUSE_MS_SPREAD = 3_000;

  /**
   * One fault.
   *
   * @param pick chooses among what is alike; not negative
   * @param holdMs how long it lasts
   * @param pauseMs how long there is none before it
   */
  record Planned(Fault fault, int pick, int holdMs, int pauseMs) {}

  private final List<Fault> kinds;
  private final Random random;
  private final Deque<Fault> round = new ArrayDeque<>();

  Schedule(Collection<Fault> kinds, long seed) {
    this.kinds = kinds.stream().sorted().distinct().toList();
    this.random = new Random(seed);
  }

  Planned next() {
    if (round.isEmpty()) {
      List<Fault> all = new ArrayList<>(kinds);
      Collections.shuffle(all, random);
      round.addAll(all);
    }
    Fault fault = round.remove();
    return new Planned(
        fault,
        random.nextInt(1 << 16),
        fault.holdMs(random),
        PAUSE_MS_MIN + random.nextInt(PAUSE_MS_SPREAD));
  }
}
