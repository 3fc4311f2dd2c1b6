package dev.tocsin.engine;

import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;

/** The next free incident id. */
final class Ids {
  private Ids() {}

  /**
   * Counts the serial up while the id is taken; when all serials of the millisecond are, goes on in
   * the next one.
   */
  static Key128 next(Stage stage, long route, long offset) {
    for (int taken = 0; ; taken++) {
      Key128 id =
          IncidentId.of(stage.now() + taken / IncidentId.PER_ROUTE_AND_MS, route, offset + taken);
      if (stage.incident(id) == null) {
        return id;
      }
    }
  }
}
