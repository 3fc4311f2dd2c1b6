package dev.tocsin.processor;

import dev.tocsin.engine.Lifecycle;
import dev.tocsin.engine.Receipt;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.ResolvedBy;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;

/**
 * Which incident an alert went into, told from what is stored now: later than the alert, so it may
 * not be known any more. A guess is not given.
 *
 * <p>A group's incidents follow one another, and only the newest is ever open. So what went into an
 * open incident went into the newest of that moment: the group's newest of today if that was opened
 * before the alert, and else the one that the condition belongs to, if that was, since a condition
 * only moves to newer ones.
 */
final class SightedIncident {
  private SightedIncident() {}

  /**
   * The incident; empty if there is none, or it is not known.
   *
   * @param loggedAtMs when the log took the alert
   * @param ofCondition the incident that its condition belongs to now; null if there is none
   * @param ofGroup its group's newest; null if there is none
   */
  static Optional<Incident> of(
      Receipt seen, long loggedAtMs, Incident ofCondition, Incident ofGroup) {
    Optional<Incident> told =
        Arrays.asList(ofCondition, ofGroup).stream()
            .filter(Objects::nonNull)
            .filter(each -> tellsOf(each, seen))
            .findFirst();
    if (told.isPresent()) {
      return told;
    }
    return switch (seen.effect()) {
      case JOINED, REPEATED, REFIRED, REOPENED ->
          openedBefore(ofGroup, seen).or(() -> openedBefore(ofCondition, seen));
      case MUTED -> openedBefore(ofCondition, seen).filter(each -> mutedAt(each, loggedAtMs));
      default -> Optional.empty();
    };
  }

  /** Whether its own history names the alert's position. */
  private static boolean tellsOf(Incident incident, Receipt seen) {
    boolean opened =
        incident.getOpenedOffset() == seen.offset() && incident.getOpenedIndex() == seen.index();
    return opened
        || incident.getTimeline().stream()
            .anyMatch(line -> line.getOffset() == seen.offset() && line.getIndex() == seen.index());
  }

  private static Optional<Incident> openedBefore(Incident incident, Receipt seen) {
    return Optional.ofNullable(incident)
        .filter(
            each ->
                each.getOpenedOffset() < seen.offset()
                    || (each.getOpenedOffset() == seen.offset()
                        && each.getOpenedIndex() <= seen.index()));
  }

  /** Whether a person had resolved it by then, and nobody has opened it since. */
  private static boolean mutedAt(Incident incident, long atMs) {
    return !Lifecycle.isOpen(incident)
        && incident.getResolvedBy() == ResolvedBy.PERSON
        && incident.getResolvedAtMs() <= atMs;
  }
}
