package dev.tocsin.engine;

import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;

/** What an incident's state means. */
public final class Lifecycle {
  private Lifecycle() {}

  /** Whether alerts of its group join it: it is neither RESOLVED nor CLOSED. */
  public static boolean isOpen(Incident incident) {
    return incident.getState() != IncidentState.RESOLVED
        && incident.getState() != IncidentState.CLOSED;
  }
}
