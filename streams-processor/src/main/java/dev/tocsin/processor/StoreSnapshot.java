package dev.tocsin.processor;

import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Tally;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueIterator;

/**
 * All incidents of a partition between two commits of the fold: iterators over what is stored,
 * which RocksDB keeps as they were, and a copy of what was changed and not stored. One thread.
 */
final class StoreSnapshot implements AutoCloseable {
  private final PartitionState state;
  private final Overlaid<Incident> incidents;
  private final Overlaid<Tally> tallies;
  private Map.Entry<Key128, Tally> tally;

  StoreSnapshot(
      PartitionState state,
      Table<Incident> incidents,
      Table<Tally> tallies,
      KeyValueIterator<Bytes, byte[]> storedIncidents,
      KeyValueIterator<Bytes, byte[]> storedTallies) {
    this.state = state;
    this.incidents = new Overlaid<>(StateKeys.INCIDENT, incidents, storedIncidents);
    this.tallies = new Overlaid<>(StateKeys.TALLY, tallies, storedTallies);
  }

  /** The partition's counts and position at that moment. */
  PartitionState state() {
    return state;
  }

  /** Each incident that {@link #next} has not given yet, by id. */
  void forEach(Consumer<Tallied> visit) {
    for (Tallied next = next(); next != null; next = next()) {
      visit.accept(next);
    }
  }

  /** The next incident, by id; null at the end. */
  Tallied next() {
    var incident = incidents.next();
    if (incident == null) {
      return null;
    }
    if (tally == null) {
      tally = tallies.next();
    }
    while (tally != null && tally.getKey().compareTo(incident.getKey()) < 0) {
      tally = tallies.next();
    }
    boolean own = tally != null && tally.getKey().equals(incident.getKey());
    return new Tallied(incident.getValue(), PartitionStore.tally(own ? tally.getValue() : null));
  }

  @Override
  public void close() {
    incidents.close();
    tallies.close();
  }

  /**
   * A table's records in the order of their keys: the stored ones, and over them the changed ones.
   */
  private static final class Overlaid<V extends SpecificRecordBase> {
    private final byte letter;
    private final Table<V> table;
    private final KeyValueIterator<Bytes, byte[]> stored;
    private Map<Key128, Optional<V>> copied;
    private TreeMap<Key128, Optional<V>> changed;

    Overlaid(byte letter, Table<V> table, KeyValueIterator<Bytes, byte[]> stored) {
      this.letter = letter;
      this.table = table;
      this.stored = stored;
      this.copied = table.changes();
    }

    /** The next record; null at the end. */
    Map.Entry<Key128, V> next() {
      if (changed == null) { // sorted here, where the fold does not wait for it
        changed = new TreeMap<>(copied);
        copied = null;
      }
      while (true) {
        Bytes key = stored.hasNext() ? stored.peekNextKey() : null;
        Key128 next = key == null || key.get()[0] != letter ? null : StateKeys.key(key);
        if (!changed.isEmpty() && (next == null || changed.firstKey().compareTo(next) <= 0)) {
          var change = changed.pollFirstEntry();
          if (change.getKey().equals(next)) {
            stored.next();
          }
          if (change.getValue().isPresent()) {
            return Map.entry(change.getKey(), change.getValue().get());
          }
        } else if (next != null) {
          return Map.entry(next, table.decode(stored.next().value));
        } else {
          return null;
        }
      }
    }

    void close() {
      stored.close();
    }
  }
}
