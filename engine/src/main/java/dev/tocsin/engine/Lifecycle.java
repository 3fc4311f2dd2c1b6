package dev.tocsin.engine;

import static dev.tocsin.schemas.IncidentState.CLOSED;
import static dev.tocsin.schemas.IncidentState.INVESTIGATING;
import static dev.tocsin.schemas.IncidentState.REMEDIATING;
import static dev.tocsin.schemas.IncidentState.RESOLVED;
import static dev.tocsin.schemas.IncidentState.TRIAGED;

import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import java.util.List;

/** What an incident's state means, and which state a person may make of it. */
public final class Lifecycle {
  private Lifecycle() {}

  /** Whether alerts of its group join it: it is neither RESOLVED nor CLOSED. */
  public static boolean isOpen(Incident incident) {
    return isOpen(incident.getState());
  }

  /** The same of one in that state. */
  static boolean isOpen(IncidentState state) {
    return state != RESOLVED && state != CLOSED;
  }

  /**
   * Whether lists and streams leave it out unless they are asked not to: a silence or another one
   * hides it.
   */
  public static boolean isSuppressed(Incident incident) {
    return incident.getInhibitedBy() != null || incident.getSilencedBy() != null;
  }

  /**
   * What a person may make of an incident in this state, in the order of the states: any later one
   * up to RESOLVED, and the steps back. CLOSED is final.
   */
  static List<IncidentState> after(IncidentState state) {
    return switch (state) {
      case DETECTED -> List.of(TRIAGED, INVESTIGATING, REMEDIATING, RESOLVED);
      case TRIAGED -> List.of(INVESTIGATING, REMEDIATING, RESOLVED);
      case INVESTIGATING -> List.of(REMEDIATING, RESOLVED);
      case REMEDIATING -> List.of(INVESTIGATING, RESOLVED);
      case RESOLVED -> List.of(INVESTIGATING, CLOSED);
      case CLOSED, NONE -> List.of();
    };
  }
}
