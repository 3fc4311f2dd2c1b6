package dev.tocsin.benchmarks;

import dev.tocsin.proto.alerts.AlertMessage;

/** Alerts as the storm's, each of a condition in a group of its own: each opens an incident. */
final class DistinctAlerts implements AlertSource {
  private int next;

  @Override
  public AlertMessage next() {
    int number = next++;
    return of("distinct-" + number, number);
  }

  /** An alert of one of them. */
  static AlertMessage of(String id, int number) {
    return StormAlerts.of(id, number, Integer.MAX_VALUE);
  }
}
