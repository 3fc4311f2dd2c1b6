package dev.tocsin.engine;

import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.InhibitionState;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.SilenceState;
import dev.tocsin.schemas.Tally;
import dev.tocsin.schemas.WorkspaceSilences;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What one entry, or one timer, changes: the new value of each thing by its key, null where it
 * goes. Filled by the fold, read by a {@link FoldStore}. Not thread-safe.
 */
public final class Changes {
  final Map<Key128, FingerprintState> fingerprints = new LinkedHashMap<>();
  final Map<Key128, GroupState> groups = new LinkedHashMap<>();
  final Map<Key128, Incident> incidents = new LinkedHashMap<>();
  final Map<Key128, Tally> tallies = new LinkedHashMap<>();
  final Map<Key128, Outcome> outcomes = new LinkedHashMap<>();
  final Map<Key128, InhibitionState> inhibitions = new LinkedHashMap<>();
  final Map<Key128, SilenceState> silences = new LinkedHashMap<>();
  final Map<Key128, WorkspaceSilences> workspaceSilences = new LinkedHashMap<>();
  final Map<Key128, Receipt> receipts = new LinkedHashMap<>();
  final Set<Timer> armed = new LinkedHashSet<>();
  final Set<Timer> disarmed = new LinkedHashSet<>();
  final List<IncidentEvent> events = new ArrayList<>();
  final PartitionState state;
  Rules rules;

  Changes(PartitionState state) {
    this.state = state;
  }

  /** Conditions, by {@link Conditions#key}. */
  public Map<Key128, FingerprintState> fingerprints() {
    return fingerprints;
  }

  /** Groups' newest incidents. */
  public Map<Key128, GroupState> groups() {
    return groups;
  }

  /** Incidents, by id. */
  public Map<Key128, Incident> incidents() {
    return incidents;
  }

  /** Incidents' tallies, by id. */
  public Map<Key128, Tally> tallies() {
    return tallies;
  }

  /** Outcomes of commands, by {@link Outcomes#key}. */
  public Map<Key128, Outcome> outcomes() {
    return outcomes;
  }

  /** The open incidents that inhibitions are about. */
  public Map<Key128, InhibitionState> inhibitions() {
    return inhibitions;
  }

  /** Silences, by id. */
  public Map<Key128, SilenceState> silences() {
    return silences;
  }

  /** Which silences a workspace has, by {@link Silences#key}. */
  public Map<Key128, WorkspaceSilences> workspaceSilences() {
    return workspaceSilences;
  }

  /** Sightings to remember, as of {@link #state}'s fold time. */
  public Collection<Receipt> receipts() {
    return receipts.values();
  }

  /** Timers that are new. None of them is in {@link #disarmed}. */
  public Set<Timer> armed() {
    return armed;
  }

  /** Timers that go; the store may not have had all of them. */
  public Set<Timer> disarmed() {
    return disarmed;
  }

  /** What to publish, in order. */
  public List<IncidentEvent> events() {
    return events;
  }

  /** The partition's counts and times afterwards. */
  public PartitionState state() {
    return state;
  }

  /** The rules that become active; null if they stay. */
  public Rules rules() {
    return rules;
  }
}
