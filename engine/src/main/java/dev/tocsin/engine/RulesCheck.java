package dev.tocsin.engine;

import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What is wrong with rules. The fold must be able to live under any that are activated: times that
 * do not overflow, bounds that are bounds.
 */
final class RulesCheck {
  private static final long SECOND_MS = 1000;
  private static final long TEN_YEARS_MS = Duration.ofDays(3653).toMillis();
  private static final int RECEIPTS_MAX = 100_000_000;
  private static final int LIST_MAX = 1000;
  private static final int OUTCOMES_MAX = 10_000_000;

  private final List<String> faults = new ArrayList<>();

  private RulesCheck() {}

  /**
   * Takes them or throws.
   *
   * @throws IllegalArgumentException naming every fault
   */
  static void require(Rules rules) {
    RulesCheck check = new RulesCheck();
    check.fields("groupBy", rules.getGroupBy());
    check.fields("routeBy", rules.getRouteBy());
    if (!Set.copyOf(rules.getGroupBy()).containsAll(rules.getRouteBy())) {
      check.faults.add(
          "routeBy must be a part of groupBy: %s is not of %s"
              .formatted(rules.getRouteBy(), rules.getGroupBy()));
    }
    if (rules.getDefaultSeverity() == Severity.UNSPECIFIED) {
      check.faults.add("defaultSeverity must be one of P0 to P4");
    }
    check.within("receiptWindowMs", rules.getReceiptWindowMs(), 0, TEN_YEARS_MS);
    check.within("receiptsMax", rules.getReceiptsMax(), 1, RECEIPTS_MAX);
    check.within("reopenWindowMs", rules.getReopenWindowMs(), 0, TEN_YEARS_MS);
    // Shorter, and timers would be what the fold spends its time on.
    check.within("autoResolveAfterMs", rules.getAutoResolveAfterMs(), SECOND_MS, TEN_YEARS_MS);
    check.within("closeAfterMs", rules.getCloseAfterMs(), 0, TEN_YEARS_MS);
    check.within("retentionMs", rules.getRetentionMs(), 0, TEN_YEARS_MS);
    check.within("occurrenceIntervalMs", rules.getOccurrenceIntervalMs(), 0, TEN_YEARS_MS);
    check.within("timelineMax", rules.getTimelineMax(), 1, LIST_MAX);
    check.within("alertsMax", rules.getAlertsMax(), 1, LIST_MAX);
    check.within("notesMax", rules.getNotesMax(), 1, LIST_MAX);
    check.within("outcomeWindowMs", rules.getOutcomeWindowMs(), SECOND_MS, TEN_YEARS_MS);
    check.within("outcomesMax", rules.getOutcomesMax(), 1, OUTCOMES_MAX);
    if (!check.faults.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", check.faults));
    }
  }

  private void fields(String what, List<String> names) {
    if (names.isEmpty()) {
      faults.add(what + " must name at least one field");
    }
    for (String name : names) {
      if (Stamper.field(name) == null) {
        faults.add(what + ": '" + name + "' is none of source, type, title, labels.NAME");
      }
    }
  }

  private void within(String what, long value, long min, long max) {
    if (value < min || value > max) {
      faults.add("%s must be from %d to %d, not %d".formatted(what, min, max, value));
    }
  }
}
