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
import java.util.List;
import java.util.Optional;

/**
 * What one partition's fold remembers. Reads give values that the reader must not change; null
 * where there is none. All changes come through {@link #commit}, one entry's or one timer's at a
 * time, and take effect together.
 *
 * <p>The fold calls it from one thread. Its outcomes depend on what was committed alone, never on
 * how it is kept.
 */
public interface FoldStore {
  /** The partition's counts and times. Never null. */
  PartitionState state();

  /** The rules that are active. Never null. */
  Rules rules();

  /** A condition, by {@link Conditions#key}. */
  FingerprintState fingerprint(Key128 key);

  /** A group's newest incident. */
  GroupState group(Key128 group);

  /** An incident. */
  Incident incident(Key128 id);

  /** An incident's tally; there is one as long as there is the incident. */
  Tally tally(Key128 id);

  /** What became of a command, by {@link Outcomes#key}, as long as it is kept. */
  Outcome outcome(Key128 key);

  /** The open incidents that an inhibition is about, by {@link Inhibitions}' key. */
  InhibitionState inhibition(Key128 key);

  /** A silence, by its id. */
  SilenceState silence(Key128 id);

  /** A workspace's silences, by {@link Silences#key}. */
  WorkspaceSilences silences(Key128 workspace);

  /**
   * The ids of a workspace's open incidents, the highest first, as of the last commit.
   *
   * @param before only those below; null for all
   * @param max no more than so many
   */
  List<Key128> openIncidents(String workspace, Key128 before, int max);

  /** Whether this sighting is remembered at this fold time. */
  boolean received(Key128 receipt, long atMs);

  /** The timer that is due first. */
  Optional<Timer> firstTimer();

  /** Takes the changes over. */
  void commit(Changes changes);
}
