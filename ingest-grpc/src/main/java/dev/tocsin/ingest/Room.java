package dev.tocsin.ingest;

import dev.tocsin.runtime.Health;

/**
 * Says in {@link Health} when the edge has no room left even for what is worth most, so that
 * callers are led elsewhere; and, once a good part is free again, that they may come back.
 * Thread-safe.
 */
final class Room {
  static final String CONDITION = "room in the edge";

  private final InFlight inFlight;
  private final Health health;
  private volatile boolean full;

  Room(InFlight inFlight, Health health) {
    this.inFlight = inFlight;
    this.health = health;
  }

  /** An alert found no room. */
  void refused(Worth worth) {
    if (worth == Worth.HIGHEST && !full) {
      full = true;
      health.unmet(CONDITION, Refusal.FULL.message());
      released(); // what was in flight may be gone meanwhile, and nothing more may come
    }
  }

  /** Alerts have left. */
  void released() {
    if (full && inFlight.fits(Worth.LOW)) {
      full = false;
      health.met(CONDITION);
    }
  }
}
