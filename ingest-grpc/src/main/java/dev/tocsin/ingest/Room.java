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
      becomeFull();
      released(); // what was in flight may be gone meanwhile, and nothing more may come
    }
  }

  // Under one lock with its counterpart: health must be told of both in their order.
  private synchronized void becomeFull() {
    full = true;
    health.unmet(CONDITION, Refusal.FULL.message());
  }

  /** Alerts have left. */
  void released() {
    if (full && inFlight.fits(Worth.LOW)) {
      becomeFree();
    }
  }

  private synchronized void becomeFree() {
    if (full) {
      full = false;
      health.met(CONDITION);
    }
  }
}
