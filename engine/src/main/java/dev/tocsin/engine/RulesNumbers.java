package dev.tocsin.engine;

import dev.tocsin.engine.RulesCheck.Fault;
import dev.tocsin.schemas.FlappingRule;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The numbers in rules that the fold can live under: times that do not overflow, bounds that are
 * bounds. It is all that the fold itself asks of rules that are activated, and what it refuses is
 * dead-lettered; so these bounds are part of the engine, as they are, of versions 1 to 3. Others
 * take a new version. What only publishers and edges should refuse belongs to {@link RulesCheck}.
 */
final class RulesNumbers {
  private static final long SECOND_MS = 1000;
  private static final long TEN_YEARS_MS = Duration.ofDays(3653).toMillis();
  private static final int RECEIPTS_MAX = 100_000_000;
  private static final int LIST_MAX = 1000;
  private static final int OUTCOMES_MAX = 10_000_000;
  private static final int CHANGES_MIN = 3;
  private static final int CHANGES_MAX = 100;
  private static final long DAY_MS = Duration.ofDays(1).toMillis();

  private final List<Fault> faults = new ArrayList<>();

  private RulesNumbers() {}

  /** Every number out of its bounds. */
  static List<Fault> faults(Rules rules) {
    RulesNumbers numbers = new RulesNumbers();
    numbers.forAll(rules);
    for (int i = 0; i < rules.getRules().size(); i++) {
      numbers.ofRule("rules[" + i + "].", rules.getRules().get(i));
    }
    return numbers.faults;
  }

  /**
   * Takes them or throws.
   *
   * @throws IllegalArgumentException naming every fault
   */
  static void require(Rules rules) {
    RulesCheck.require(faults(rules));
  }

  private void forAll(Rules rules) {
    time("receiptWindowMs", rules.getReceiptWindowMs(), 0);
    number("receiptsMax", rules.getReceiptsMax(), RECEIPTS_MAX);
    time("outcomeWindowMs", rules.getOutcomeWindowMs(), SECOND_MS);
    number("outcomesMax", rules.getOutcomesMax(), OUTCOMES_MAX);
    time("reopenWindowMs", rules.getReopenWindowMs(), 0);
    // Shorter, and timers would be what the fold spends its time on.
    time("autoResolveAfterMs", rules.getAutoResolveAfterMs(), SECOND_MS);
    time("closeAfterMs", rules.getCloseAfterMs(), 0);
    time("retentionMs", rules.getRetentionMs(), 0);
    time("occurrenceIntervalMs", rules.getOccurrenceIntervalMs(), 0);
    number("timelineMax", rules.getTimelineMax(), LIST_MAX);
    number("alertsMax", rules.getAlertsMax(), LIST_MAX);
    number("notesMax", rules.getNotesMax(), LIST_MAX);
    flapping("flapping.", rules.getFlapping());
  }

  private void ofRule(String path, Rule rule) {
    time(path + "reopenWindowMs", rule.getReopenWindowMs(), 0);
    time(path + "autoResolveAfterMs", rule.getAutoResolveAfterMs(), SECOND_MS);
    time(path + "closeAfterMs", rule.getCloseAfterMs(), 0);
    time(path + "retentionMs", rule.getRetentionMs(), 0);
    time(path + "occurrenceIntervalMs", rule.getOccurrenceIntervalMs(), 0);
    number(path + "timelineMax", rule.getTimelineMax(), LIST_MAX);
    number(path + "alertsMax", rule.getAlertsMax(), LIST_MAX);
    number(path + "notesMax", rule.getNotesMax(), LIST_MAX);
    flapping(path + "flapping.", rule.getFlapping());
  }

  private void flapping(String path, FlappingRule flapping) {
    if (flapping != null) {
      number(path + "changes", flapping.getChanges(), CHANGES_MIN, CHANGES_MAX);
      time(path + "windowMs", flapping.getWindowMs(), SECOND_MS, DAY_MS);
    }
  }

  private void time(String path, Long valueMs, long minMs) {
    time(path, valueMs, minMs, TEN_YEARS_MS);
  }

  private void time(String path, Long valueMs, long minMs, long maxMs) {
    if (valueMs != null && (valueMs < minMs || valueMs > maxMs)) {
      fault(path, "must be from %s to %s, not %s", text(minMs), text(maxMs), text(valueMs));
    }
  }

  private void number(String path, Integer value, int max) {
    number(path, value, 1, max);
  }

  private void number(String path, Integer value, int min, int max) {
    if (value != null && (value < min || value > max)) {
      fault(path, "must be from %d to %d, not %d", min, max, value);
    }
  }

  private void fault(String path, String format, Object... values) {
    faults.add(new Fault(path, String.format(Locale.ROOT, format, values)));
  }

  /** The duration as it stands in a document: 24h, 5m, 30s, 250ms; days from a week on. */
  static String text(long ms) {
    long week = Duration.ofDays(7).toMillis();
    if (ms % (week / 7) == 0 && Math.abs(ms) >= week) {
      return ms / (week / 7) + "d";
    } else if (ms == 0) {
      return "0s";
    } else if (ms % 3_600_000 == 0) {
      return ms / 3_600_000 + "h";
    } else if (ms % 60_000 == 0) {
      return ms / 60_000 + "m";
    }
    return ms % 1000 == 0 ? ms / 1000 + "s" : ms + "ms";
  }
}
