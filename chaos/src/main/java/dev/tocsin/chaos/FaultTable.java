package dev.tocsin.chaos;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** How long it took to heal, by kind of fault. Not thread-safe. */
final class FaultTable {
  private final Map<Fault, List<Duration>> recoveries = new EnumMap<>(Fault.class);

  /** One fault that was healed so long after it had ended. */
  void add(Fault fault, Duration recovery) {
    recoveries.computeIfAbsent(fault, any -> new ArrayList<>()).add(recovery);
  }

  int faults() {
    return recoveries.values().stream().mapToInt(List::size).sum();
  }

  void print(PrintStream out) {
    out.printf(Locale.ROOT, "%-17s %5s %9s %8s%n", "fault", "times", "median s", "worst s");
    recoveries.forEach(
        (fault, all) -> {
          List<Duration> sorted = new ArrayList<>(all);
          Collections.sort(sorted);
          out.printf(
              Locale.ROOT,
              "%-17s %5d %9.1f %8.1f%n",
              fault.label(),
              sorted.size(),
              seconds(sorted.get((sorted.size() - 1) / 2)),
              seconds(sorted.get(sorted.size() - 1)));
        });
  }

  static double seconds(Duration duration) {
    return duration.toMillis() / 1_000.0;
  }
}
