package dev.tocsin.engine;

import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.InhibitionState;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Silence;
import dev.tocsin.schemas.SilenceState;
import dev.tocsin.schemas.Tally;
import dev.tocsin.schemas.WorkspaceSilences;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * A store as it looks after changes that are not committed yet. If a step fails, the stage is
 * dropped and nothing of it has happened: that is what makes an entry all or nothing.
 */
final class Stage {
  private final FoldStore store;
  private final Changes changes;
  private final ActiveRules byRule;

  /** Nothing changed yet; {@code byRule} is of the fold, and kept by it. */
  Stage(FoldStore store, ActiveRules byRule) {
    this.store = store;
    this.byRule = byRule;
    this.changes = new Changes(Copies.of(store.state()));
  }

  Changes changes() {
    return changes;
  }

  PartitionState state() {
    return changes.state;
  }

  /** Fold time. */
  long now() {
    return changes.state.getFoldTimeMs();
  }

  /** Whether the partition is folded by this version of the engine or a later one. */
  boolean isSince(int engineVersion) {
    return changes.state.getEngineVersion() >= engineVersion;
  }

  Rules rules() {
    return changes.rules != null ? changes.rules : store.rules();
  }

  /** What holds for what was stamped under the rule of that name; empty if none matched. */
  Rules rules(String rule) {
    return byRule.of(rule, rules());
  }

  void activate(Rules rules) {
    changes.rules = rules;
  }

  FingerprintState fingerprint(Key128 key) {
    return read(changes.fingerprints, key, store::fingerprint);
  }

  void put(Key128 key, FingerprintState state) {
    changes.fingerprints.put(key, state);
  }

  GroupState group(Key128 key) {
    return read(changes.groups, key, store::group);
  }

  void put(Key128 key, GroupState state) {
    changes.groups.put(key, state);
  }

  Incident incident(Key128 id) {
    return read(changes.incidents, id, store::incident);
  }

  void put(Key128 id, Incident incident) {
    changes.incidents.put(id, incident);
  }

  Tally tally(Key128 id) {
    return read(changes.tallies, id, store::tally);
  }

  void put(Key128 id, Tally tally) {
    changes.tallies.put(id, tally);
  }

  /** The tally, for changing: a copy that is this stage's own. Null if there is none. */
  Tally ownTally(Key128 id) {
    Tally own = changes.tallies.get(id);
    if (own == null) {
      Tally stored = tally(id);
      own = stored == null ? null : Copies.of(stored);
      if (own != null) {
        changes.tallies.put(id, own);
      }
    }
    return own;
  }

  Outcome outcome(Key128 key) {
    return read(changes.outcomes, key, store::outcome);
  }

  void put(Key128 key, Outcome outcome) {
    changes.outcomes.put(key, outcome);
  }

  InhibitionState inhibition(Key128 key) {
    return read(changes.inhibitions, key, store::inhibition);
  }

  void put(Key128 key, InhibitionState state) {
    changes.inhibitions.put(key, state);
  }

  SilenceState silence(Key128 id) {
    return read(changes.silences, id, store::silence);
  }

  void put(Key128 id, SilenceState state) {
    changes.silences.put(id, state);
  }

  WorkspaceSilences silences(Key128 workspace) {
    return read(changes.workspaceSilences, workspace, store::silences);
  }

  void put(Key128 workspace, WorkspaceSilences silences) {
    changes.workspaceSilences.put(workspace, silences);
  }

  /** As {@link FoldStore#openIncidents}: what this stage has opened or closed is not told. */
  List<Key128> openIncidents(String workspace, Key128 before, int max) {
    return store.openIncidents(workspace, before, max);
  }

  /** The matchers of a silence. */
  IncidentMatcher matcher(Silence silence) {
    return byRule.matcher(silence);
  }

  /** Those of the active rules. */
  List<ActiveInhibition> inhibitions() {
    return byRule.inhibitions(rules());
  }

  /** Whether a sighting is remembered. */
  boolean received(Key128 receipt) {
    return store.received(receipt, now()) || changes.receipts.containsKey(receipt);
  }

  /** Remembers a sighting that is not. */
  void receive(Receipt receipt) {
    changes.receipts.put(receipt.key(), receipt);
  }

  void arm(Timer timer) {
    changes.disarmed.remove(timer);
    changes.armed.add(timer);
  }

  void disarm(Timer timer) {
    changes.armed.remove(timer);
    changes.disarmed.add(timer); // the store may have it as well, from before
  }

  private static <V> V read(Map<Key128, V> changed, Key128 key, Function<Key128, V> stored) {
    V value = changed.get(key);
    return value != null || changed.containsKey(key) ? value : stored.apply(key);
  }
}
