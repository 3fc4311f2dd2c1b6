package dev.tocsin.engine;

import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Silence;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The windows and bounds that hold for what a rule has stamped: its own where the active rules give
 * it any, else those for all. A rule that the active rules do not have any more has none. Kept for
 * each rule, since every alert asks several times; and so are the matchers of inhibitions and
 * silences. Not thread-safe.
 */
final class ActiveRules {
  /** Silences whose matchers are kept compiled. */
  private static final int SILENCES_MAX = 4 * Silences.LASTING_MAX;

  private int version = -1;
  private final Map<String, Rules> byName = new HashMap<>();
  private List<ActiveInhibition> inhibitions = List.of();
  private final Map<Key128, Compiled> silences = new HashMap<>();

  private record Compiled(List<Matcher> matchers, IncidentMatcher matcher) {}

  /** What holds for the rule of that name, empty for none, under {@code active}. */
  Rules of(String rule, Rules active) {
    if (rule.isEmpty()) {
      return active;
    }
    read(active);
    return byName.getOrDefault(rule, active);
  }

  /** The inhibitions of {@code active}. */
  List<ActiveInhibition> inhibitions(Rules active) {
    read(active);
    return inhibitions;
  }

  /** The matchers of a silence: compiled once, for as long as there is room. */
  IncidentMatcher matcher(Silence silence) {
    Compiled compiled = silences.get(silence.getId());
    // A silence may come again under the id of one that was forgotten, with others.
    if (compiled == null || !compiled.matchers().equals(silence.getMatchers())) {
      if (silences.size() >= SILENCES_MAX) {
        silences.clear();
      }
      compiled = new Compiled(silence.getMatchers(), new IncidentMatcher(silence.getMatchers()));
      silences.put(silence.getId(), compiled);
    }
    return compiled.matcher();
  }

  private void read(Rules active) {
    if (active.getVersion() != version) {
      byName.clear();
      active.getRules().forEach(each -> byName.put(each.getName(), under(active, each)));
      inhibitions = active.getInhibitions().stream().map(ActiveInhibition::new).toList();
      version = active.getVersion();
    }
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
    own.setFlapping(or(rule.getFlapping(), active.getFlapping()));
    return own;
  }

  private static <V> V or(V own, V forAll) {
    return own == null ? forAll : own;
  }
}
