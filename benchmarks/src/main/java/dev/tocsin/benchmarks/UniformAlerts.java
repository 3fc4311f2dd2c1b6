package dev.tocsin.benchmarks;

import dev.tocsin.proto.alerts.AlertMessage;
import java.util.Random;

/**
 * The uniform load: alerts as the storm's, each of one of 1,000,000 fingerprints in 100,000 groups,
 * none more likely than another. What is cached helps little here. Not thread-safe.
 */
final class UniformAlerts implements AlertSource {
  private static final int FINGERPRINTS = 1_000_000;
  private static final int GROUPS = 100_000;

  private final Random random;
  private long next;

  UniformAlerts(long seed) {
    this.random = new Random(seed);
  }

  @Override
  public AlertMessage next() {
    return StormAlerts.of(Long.toString(next++), random.nextInt(FINGERPRINTS), GROUPS);
  }
}
