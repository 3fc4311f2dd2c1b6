package dev.tocsin.engine;

import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import java.util.HashMap;
import java.util.Map;

/**
 * The windows and bounds that hold for what a rule has stamped: its own where the active rules give
 * it any, else those for all. A rule that the active rules do not have any more has none. Kept for
 * each rule, since every alert asks several times. Not thread-safe.
 */
final class ActiveRules {
  private int version = -1;
  private final Map<String, Rules> byName = new HashMap<>();

  /** What holds for the rule of that name, empty for none, under {@code active}. */
  Rules of(String rule, Rules active) {
    if (rule.isEmpty()) {
      return active;
    }
    if (active.getVersion() != version) {
      byName.clear();
      active.getRules().forEach(each -> byName.put(each.getName(), under(active, each)));
      version = active.getVersion();
    }
    return byName.getOrDefault(rule, active);
  }

  private static Rules under(Rules active, Rule rule) {
    Rules own = Copies.of(active);
    own.setReopenWindowMs(or(rule.getReopenWindowMs(), active.getReopenWindowMs()));
    own.setAutoResolveAfterMs(or(rule.getAutoResolveAfterMs(), active.getAutoResolveAfterMs()));
    own.setCloseAfterMs(or(rule.getCloseAfterMs(), active.getCloseAfterMs()));
    own.setRetentionMs(or(rule.getRetentionMs(), active.getRetentionMs()));
    own.setOccurrenceIntervalMs(
        or(rule.getOccurrenceIntervalMs(), active.getOccurrenceIntervalMs()));
    own.setTimelineMax(or(rule.getTimelineMax(), active.getTimelineMax()));
    own.setAlertsMax(or(rule.getAlertsMax(), active.getAlertsMax()));
    own.setNotesMax(or(rule.getNotesMax(), active.getNotesMax()));
    return own;
  }

  private static <N extends Number> N or(N own, N forAll) {
    return own == null ? forAll : own;
  }
}
