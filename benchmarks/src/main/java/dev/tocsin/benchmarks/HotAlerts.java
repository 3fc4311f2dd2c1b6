package dev.tocsin.benchmarks;

import dev.tocsin.proto.alerts.AlertMessage;
import java.util.Random;

/**
 * The storm, of which every other alert is of one and the same condition: half of all, and so more
 * than half, goes to one partition. Not thread-safe.
 */
final class HotAlerts implements AlertSource {
  private final Random random;
  private final StormAlerts others;
  private long next;

  HotAlerts(long seed) {
    this.random = new Random(seed);
    this.others = new StormAlerts(seed, "");
  }

  @Override
  public AlertMessage next() {
    return random.nextBoolean() ? StormAlerts.of("hot-" + next++, 0) : others.next();
  }
}
