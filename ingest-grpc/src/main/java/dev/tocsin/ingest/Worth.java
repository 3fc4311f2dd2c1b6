package dev.tocsin.ingest;

import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.Severity;

/**
 * What an alert is worth when there is not room for all: how much of the process's bounds may be
 * full before it is shed. That a condition has ended, and that something of the worst kind has
 * begun, is taken to the last byte.
 */
enum Worth {
  /** P3, P4, and what does not say. */
  LOW(70),
  /** P2. */
  MIDDLE(80),
  /** P1. */
  HIGH(90),
  /** P0, and every RESOLVED. */
  HIGHEST(100);

  private final int percentMax;

  Worth(int percentMax) {
    this.percentMax = percentMax;
  }

  /** What {@code alert} is worth. */
  static Worth of(AlertMessage alert) {
    if (alert.getStatus() == AlertMessage.Status.RESOLVED
        || alert.getSeverity() == Severity.SEVERITY_P0) {
      return HIGHEST;
    }
    return switch (alert.getSeverity()) {
      case SEVERITY_P1 -> HIGH;
      case SEVERITY_P2 -> MIDDLE;
      default -> LOW;
    };
  }

  /** How much of {@code bound} may be full with it. */
  long of(long bound) {
    return Math.max(1, bound * percentMax / 100);
  }
}
