package dev.tocsin.engine;

import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.InhibitionState;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.SilenceState;
import dev.tocsin.schemas.Tally;
import dev.tocsin.schemas.WorkspaceSilences;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A store in the heap: the model that any other store is compared with, and what a fold that nobody
 * needs to keep runs on. Not thread-safe, and bounded by the memory alone.
 */
public final class MemoryStore implements FoldStore {
  private final Map<Key128, FingerprintState> fingerprints = new HashMap<>();
  private final Map<Key128, GroupState> groups = new HashMap<>();
  private final TreeMap<Key128, Incident> incidents = new TreeMap<>();
  private final Map<Key128, Tally> tallies = new HashMap<>();
  private final Map<Key128, Outcome> outcomes = new HashMap<>();
  private final Map<Key128, InhibitionState> inhibitions = new HashMap<>();
  private final Map<Key128, SilenceState> silences = new HashMap<>();
  private final Map<Key128, WorkspaceSilences> workspaceSilences = new HashMap<>();
  private final TreeSet<Timer> timers = new TreeSet<>();
  private final Receipts receipts = new Receipts();
  private PartitionState state = InitialState.partition();
  private Rules rules = InitialState.rules();

  @Override
  public PartitionState state() {
    return state;
  }

  @Override
  public Rules rules() {
    return rules;
  }

  @Override
  public FingerprintState fingerprint(Key128 key) {
    return fingerprints.get(key);
  }

  @Override
  public GroupState group(Key128 group) {
    return groups.get(group);
  }

  @Override
  public Incident incident(Key128 id) {
    return incidents.get(id);
  }

  @Override
  public Tally tally(Key128 id) {
    return tallies.get(id);
  }

  @Override
  public Outcome outcome(Key128 key) {
    return outcomes.get(key);
  }

  @Override
  public InhibitionState inhibition(Key128 key) {
    return inhibitions.get(key);
  }

  @Override
  public SilenceState silence(Key128 id) {
    return silences.get(id);
  }

  @Override
  public WorkspaceSilences silences(Key128 workspace) {
    return workspaceSilences.get(workspace);
  }

  @Override
  public List<Key128> openIncidents(String workspace, Key128 before, int max) {
    var below = before == null ? incidents : incidents.headMap(before, false);
    return below.descendingMap().values().stream()
        .filter(each -> Lifecycle.isOpen(each) && each.getWorkspace().equals(workspace))
        .map(Incident::getId)
        .limit(max)
        .toList();
  }

  @Override
  public boolean received(Key128 receipt, long atMs) {
    return receipts.contains(receipt, atMs, rules);
  }

  @Override
  public Optional<Timer> firstTimer() {
    return timers.isEmpty() ? Optional.empty() : Optional.of(timers.first());
  }

  @Override
  public void commit(Changes changes) {
    state = changes.state();
    if (changes.rules() != null) {
      receipts.expire(state.getFoldTimeMs(), rules);
      rules = changes.rules();
    }
    put(changes.fingerprints(), fingerprints);
    put(changes.groups(), groups);
    put(changes.incidents(), incidents);
    put(changes.tallies(), tallies);
    put(changes.outcomes(), outcomes);
    put(changes.inhibitions(), inhibitions);
    put(changes.silences(), silences);
    put(changes.workspaceSilences(), workspaceSilences);
    timers.removeAll(changes.disarmed());
    timers.addAll(changes.armed());
    changes.receipts().forEach(receipt -> receipts.add(receipt, state.getFoldTimeMs(), rules));
  }

  /** All incidents, by id. */
  public Collection<Incident> incidents() {
    return Collections.unmodifiableCollection(incidents.values());
  }

  /** Digests over all incidents. */
  public DigestSum digest() {
    DigestSum sum = new DigestSum();
    incidents.forEach((id, incident) -> sum.add(incident, tallies.get(id)));
    return sum;
  }

  private static <V> void put(Map<Key128, V> changed, Map<Key128, V> into) {
    changed.forEach(
        (key, value) -> {
          if (value == null) {
            into.remove(key);
          } else {
            into.put(key, value);
          }
        });
  }
}
