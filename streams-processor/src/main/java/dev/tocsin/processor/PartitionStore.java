package dev.tocsin.processor;

import dev.tocsin.engine.Changes;
import dev.tocsin.engine.FoldStore;
import dev.tocsin.engine.InitialState;
import dev.tocsin.engine.Lifecycle;
import dev.tocsin.engine.Receipts;
import dev.tocsin.engine.Timer;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Tally;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * A partition's state on RocksDB. Records that a key finds are written back ({@link Table}); what
 * is walked in order, the timers and the index, is written through. A repeat so costs a tally's
 * change in memory, and one small write a commit.
 *
 * <p>The fold's thread changes it. Other threads read single records at any time, and get a view
 * between two commits of the fold by {@link #snapshot}.
 */
final class PartitionStore implements FoldStore {

  private final KeyValueStore<Bytes, byte[]> store;
  private final StateCodecs codecs;
  private final Table<FingerprintState> fingerprints;
  private final Table<GroupState> groups;
  private final Table<Incident> incidents;
  private final Table<Tally> tallies;
  private final Table<Outcome> outcomes;
  private final TimerQueue timers;
  private final Receipts receipts = new Receipts();
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  /** Those that are open, and are told before anything changes. */
  private final Set<IncidentSnapshot> snapshots = ConcurrentHashMap.newKeySet();

  private volatile PartitionState state;
  private boolean stateChanged;
  private volatile Rules rules;
  private long unstoredReceipts;

  PartitionStore(KeyValueStore<Bytes, byte[]> store, int cleanMax) {
    this(store, cleanMax, new StateCodecs());
  }

  /** One that is read and written by {@code codecs}. */
  PartitionStore(KeyValueStore<Bytes, byte[]> store, int cleanMax, StateCodecs codecs) {
    this.store = store;
    this.codecs = codecs;
    this.fingerprints = new Table<>(StateKeys.FINGERPRINT, codecs.fingerprints(), store, cleanMax);
    this.groups = new Table<>(StateKeys.GROUP, codecs.groups(), store, cleanMax);
    this.incidents = new Table<>(StateKeys.INCIDENT, codecs.incidents(), store, cleanMax);
    this.tallies = new Table<>(StateKeys.TALLY, codecs.tallies(), store, cleanMax);
    this.outcomes = new Table<>(StateKeys.OUTCOME, codecs.outcomes(), store, cleanMax);
    this.timers = new TimerQueue(store);
    this.state = read(StateKeys.STATE, codecs.states()).orElseGet(InitialState::partition);
    this.rules = read(StateKeys.RULES, codecs.rules()).orElseGet(InitialState::rules);
    loadReceipts();
  }

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
  public boolean received(Key128 receipt, long atMs) {
    return receipts.contains(receipt, atMs, rules);
  }

  @Override
  public Optional<Timer> firstTimer() {
    return timers.first();
  }

  @Override
  public void commit(Changes changes) {
    lock.writeLock().lock();
    try {
      snapshots.forEach(snapshot -> snapshot.keep(changes));
      if (changes.rules() != null) {
        // What has expired under the old window stays expired under a longer one.
        receipts.expire(changes.state().getFoldTimeMs(), rules);
        rules = changes.rules();
        store.put(StateKeys.RULES, codecs.rules().encode(rules));
      }
      changes.fingerprints().forEach(fingerprints::put);
      changes.groups().forEach(groups::put);
      // A reader that finds an incident finds its tally: the tally comes first and goes last.
      changes.tallies().forEach((id, tally) -> putPresent(id, tally));
      changes.incidents().forEach(this::put);
      changes.incidents().forEach((id, incident) -> removeTally(id, incident));
      changes.outcomes().forEach(outcomes::put);
      changes.disarmed().forEach(timers::remove);
      changes.armed().forEach(timers::add);
      for (Key128 receipt : changes.receipts()) {
        receipts.add(receipt, changes.state().getFoldTimeMs(), rules);
        unstoredReceipts++;
      }
      state = changes.state();
      stateChanged = true;
    } finally {
      lock.writeLock().unlock();
    }
  }

  /**
   * Stores everything that is changed. To be called on the fold's thread, just before Kafka Streams
   * commits.
   */
  void flush() {
    lock.writeLock().lock();
    try {
      fingerprints.flush();
      groups.flush();
      tallies.flush();
      incidents.flush();
      outcomes.flush();
      receipts.expire(state.getFoldTimeMs(), rules);
      receipts.flush(new StoredChunks());
      unstoredReceipts = 0;
      if (stateChanged) {
        store.put(StateKeys.STATE, codecs.states().encode(state));
        stateChanged = false;
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** Changed records that wait in memory for the next commit. */
  long dirty() {
    return (long) fingerprints.dirty()
        + groups.dirty()
        + incidents.dirty()
        + tallies.dirty()
        + outcomes.dirty()
        + unstoredReceipts;
  }

  /** One incident, for any thread. */
  Optional<Tallied> read(Key128 id) {
    Incident incident = incidents.peek(id);
    if (incident == null) {
      return Optional.empty();
    }
    // The tally goes last: if it is gone, the incident went since it was found.
    return Optional.ofNullable(tallies.peek(id)).map(tally -> new Tallied(incident, tally));
  }

  /** The outcome of a command, by {@link dev.tocsin.engine.Outcomes#key}, for any thread. */
  Optional<Outcome> readOutcome(Key128 key) {
    return Optional.ofNullable(outcomes.peek(key));
  }

  /**
   * A workspace's incidents as they are between two commits of the fold, for any thread. To be
   * closed by it.
   *
   * @param room for what the fold replaces while the snapshot is open
   */
  IncidentSnapshot snapshot(String workspace, boolean open, boolean notOpen, Semaphore room) {
    lock.readLock().lock();
    try {
      IncidentSnapshot snapshot =
          new IncidentSnapshot(
              walk(workspace, open, notOpen, null), this::read, room, snapshots::remove);
      snapshots.add(snapshot);
      return snapshot;
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Everything as it is between two commits of the fold, for any thread. To be closed by it. */
  StoreSnapshot snapshot() {
    lock.readLock().lock();
    try {
      return new StoreSnapshot(
          state,
          incidents,
          tallies,
          store.range(StateKeys.first(StateKeys.INCIDENT), StateKeys.end(StateKeys.INCIDENT)),
          store.range(StateKeys.first(StateKeys.TALLY), StateKeys.end(StateKeys.TALLY)));
    } finally {
      lock.readLock().unlock();
    }
  }

  /**
   * A workspace's index entries, newest first, below {@code before} if that is not null; for any
   * thread, to be closed.
   */
  IndexWalk walk(String workspace, boolean open, boolean notOpen, Key128 before) {
    lock.readLock().lock();
    try {
      List<KeyValueIterator<Bytes, byte[]>> ranges = new ArrayList<>();
      if (open) {
        ranges.add(range(workspace, true, before));
      }
      if (notOpen) {
        ranges.add(range(workspace, false, before));
      }
      return new IndexWalk(ranges, state);
    } finally {
      lock.readLock().unlock();
    }
  }

  static Tally tally(Tally found) {
    return found != null ? found : new Tally(0L, 0L, 0L, 0L, false);
  }

  private KeyValueIterator<Bytes, byte[]> range(String workspace, boolean open, Key128 before) {
    return store.range(
        StateKeys.indexFrom(workspace, open, before), StateKeys.indexEnd(workspace, open));
  }

  private void put(Key128 id, Incident after) {
    Incident before = incidents.get(id);
    // Put before it is deleted: whoever reads a copy of this store finds it in one of the two.
    if (after != null && (before == null || Lifecycle.isOpen(before) != Lifecycle.isOpen(after))) {
      store.put(
          StateKeys.index(after.getWorkspace(), Lifecycle.isOpen(after), id), StateKeys.PRESENT);
    }
    if (before != null && (after == null || Lifecycle.isOpen(before) != Lifecycle.isOpen(after))) {
      store.delete(StateKeys.index(before.getWorkspace(), Lifecycle.isOpen(before), id));
    }
    incidents.put(id, after);
  }

  private void putPresent(Key128 id, Tally tally) {
    if (tally != null) {
      tallies.put(id, tally);
    }
  }

  private void removeTally(Key128 id, Incident incident) {
    if (incident == null) {
      tallies.put(id, null);
    }
  }

  private void loadReceipts() {
    try (var chunks =
        store.range(StateKeys.first(StateKeys.RECEIPTS), StateKeys.end(StateKeys.RECEIPTS))) {
      while (chunks.hasNext()) {
        KeyValue<Bytes, byte[]> next = chunks.next();
        if (next.key.get()[0] == StateKeys.RECEIPTS) {
          receipts.load(StateKeys.bucket(next.key), StateKeys.chunk(next.key), next.value);
        }
      }
    }
  }

  private <V extends org.apache.avro.specific.SpecificRecordBase> Optional<V> read(
      Bytes key, Codec<V> codec) {
    return Optional.ofNullable(store.get(key)).map(codec::decode);
  }

  private final class StoredChunks implements Receipts.Chunks {
    @Override
    public void put(long bucket, int chunk, byte[] packed) {
      store.put(StateKeys.receipts(bucket, chunk), packed);
    }

    @Override
    public void delete(long bucket, int chunk) {
      store.delete(StateKeys.receipts(bucket, chunk));
    }
  }
}
