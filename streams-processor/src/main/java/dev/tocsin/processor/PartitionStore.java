package dev.tocsin.processor;

import dev.tocsin.engine.Changes;
import dev.tocsin.engine.FoldStore;
import dev.tocsin.engine.InitialState;
import dev.tocsin.engine.Lifecycle;
import dev.tocsin.engine.Receipt;
import dev.tocsin.engine.ReceiptMemory;
import dev.tocsin.engine.Receipts;
import dev.tocsin.engine.Silences;
import dev.tocsin.engine.Timer;
import dev.tocsin.schemas.Codec;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
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
  private final RecordCache cache;
  private final int dirtyMax;
  private final Table<FingerprintState> fingerprints;
  private final Table<GroupState> groups;
  private final Table<Incident> incidents;
  private final Table<Tally> tallies;
  private final Table<Outcome> outcomes;
  private final Table<InhibitionState> inhibitions;
  private final Table<SilenceState> silences;
  private final Table<WorkspaceSilences> workspaceSilences;

  /** All of them, in the order in which they are stored. */
  private final List<Table<?>> tables;

  private final TimerQueue timers;
  private final TallyTimers tallyTimers;
  private final StoredReceipts receipts;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  /** Those that are open, and are told before anything changes. */
  private final Set<IncidentSnapshot> snapshots = ConcurrentHashMap.newKeySet();

  private volatile PartitionState state;
  private boolean stateChanged;
  private volatile Rules rules;

  PartitionStore(KeyValueStore<Bytes, byte[]> store, LongSupplier cacheBytesMax) {
    this(store, cacheBytesMax, Integer.MAX_VALUE, ReceiptMemory.HEAP, new StateCodecs());
  }

  /**
   * One that is read and written by {@code codecs}.
   *
   * @param cacheBytesMax of records that are as they are stored; may move
   * @param dirtyMax changed records that may wait for {@link #flush}; where one entry changes more,
   *     as one does before which much is due, they are stored as it goes on
   */
  PartitionStore(
      KeyValueStore<Bytes, byte[]> store,
      LongSupplier cacheBytesMax,
      int dirtyMax,
      ReceiptMemory receiptMemory,
      StateCodecs codecs) {
    this.store = store;
    this.codecs = codecs;
    this.dirtyMax = dirtyMax;
    this.cache = new RecordCache(cacheBytesMax);
    this.fingerprints = new Table<>(StateKeys.FINGERPRINT, codecs.fingerprints(), store, cache);
    this.groups = new Table<>(StateKeys.GROUP, codecs.groups(), store, cache);
    this.incidents = new Table<>(StateKeys.INCIDENT, codecs.incidents(), store, cache);
    this.tallies = new Table<>(StateKeys.TALLY, codecs.tallies(), store, cache);
    this.outcomes = new Table<>(StateKeys.OUTCOME, codecs.outcomes(), store, cache);
    this.inhibitions = new Table<>(StateKeys.INHIBITION, codecs.inhibitions(), store, cache);
    this.silences = new Table<>(StateKeys.SILENCE, codecs.silences(), store, cache);
    this.workspaceSilences =
        new Table<>(StateKeys.SILENCES, codecs.workspaceSilences(), store, cache);
    this.tables =
        List.of(
            fingerprints,
            groups,
            tallies,
            incidents,
            outcomes,
            inhibitions,
            silences,
            workspaceSilences);
    this.timers = new TimerQueue(store);
    this.state = read(StateKeys.STATE, codecs.states()).orElseGet(InitialState::partition);
    this.rules = read(StateKeys.RULES, codecs.rules()).orElseGet(InitialState::rules);
    this.tallyTimers = new TallyTimers(store, state.getFoldTimeMs());
    this.receipts = new StoredReceipts(store, receiptMemory);
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
    List<Key128> ids = new ArrayList<>();
    try (IndexWalk walk = walk(workspace, true, false, before)) {
      for (Key128 id = walk.next(); id != null && ids.size() < max; id = walk.next()) {
        ids.add(id);
      }
    }
    return ids;
  }

  @Override
  public boolean received(Key128 receipt, long atMs) {
    return receipts.all().contains(receipt, atMs, rules);
  }

  @Override
  public Optional<Timer> firstTimer() {
    Optional<Timer> first = timers.first();
    Optional<Timer> tally = tallyTimers.first();
    if (first.isEmpty() || tally.isEmpty()) {
      return first.isEmpty() ? tally : first;
    }
    return first.get().compareTo(tally.get()) <= 0 ? first : tally;
  }

  @Override
  public void commit(Changes changes) {
    lock.writeLock().lock();
    try {
      snapshots.forEach(snapshot -> snapshot.keep(changes));
      if (changes.rules() != null) {
        // What has expired under the old window stays expired under a longer one.
        receipts.all().expire(changes.state().getFoldTimeMs(), rules);
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
      changes.inhibitions().forEach(inhibitions::put);
      changes.silences().forEach(silences::put);
      changes.workspaceSilences().forEach(workspaceSilences::put);
      changes.disarmed().forEach(this::disarm);
      changes.armed().forEach(this::arm);
      for (Receipt receipt : changes.receipts()) {
        receipts.add(receipt, changes.state().getFoldTimeMs(), rules);
      }
      state = changes.state();
      stateChanged = true;
      cache.nextEntry();
      if (dirty() >= dirtyMax) {
        flush();
      }
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
      List<KeyValue<Bytes, byte[]>> batch = new ArrayList<>();
      tables.forEach(table -> table.encodeInto(batch));
      tallyTimers.flushInto(batch, state.getFoldTimeMs());
      receipts.flushInto(batch, state.getFoldTimeMs(), rules);
      if (stateChanged) {
        batch.add(KeyValue.pair(StateKeys.STATE, codecs.states().encode(state)));
        stateChanged = false;
      }
      store.putAll(batch);
      int at = 0;
      for (Table<?> table : tables) {
        at = table.stored(batch, at);
      }
      cache.trim();
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** Changed records that wait in memory for the next commit. */
  long dirty() {
    long dirty = receipts.unstored();
    for (Table<?> table : tables) {
      dirty += table.dirty();
    }
    return dirty;
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

  /** The sightings that are remembered, for any thread. */
  Receipts.View receipts() {
    lock.readLock().lock();
    try {
      return receipts.all().view(state.getFoldTimeMs(), rules);
    } finally {
      lock.readLock().unlock();
    }
  }

  /** A condition, by {@link dev.tocsin.engine.Conditions#key}, for any thread. */
  Optional<FingerprintState> readCondition(Key128 key) {
    return Optional.ofNullable(fingerprints.peek(key));
  }

  /** A group's newest incident, for any thread. */
  Optional<GroupState> readGroup(Key128 group) {
    return Optional.ofNullable(groups.peek(group));
  }

  /** A workspace's silences, those that ended lately too, for any thread. */
  List<SilenceState> readSilences(String workspace) {
    WorkspaceSilences ids = workspaceSilences.peek(Silences.key(workspace));
    return ids == null
        ? List.of()
        : Stream.concat(ids.getLasting().stream(), ids.getEnded().stream())
            .map(silences::peek)
            .filter(Objects::nonNull) // it may be forgotten meanwhile
            .toList();
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
    return found != null ? found : Tally.newBuilder().setOccurrences(0).setLastSeenMs(0).build();
  }

  private KeyValueIterator<Bytes, byte[]> range(String workspace, boolean open, Key128 before) {
    return store.range(
        StateKeys.indexFrom(workspace, open, before), StateKeys.indexEnd(workspace, open));
  }

  private void put(Key128 id, Incident after) {
    Incident before = incidents.peek(id);
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

  private void arm(Timer timer) {
    if (timer.kind() != Timer.Kind.TALLY || !tallyTimers.add(timer)) {
      timers.add(timer);
    }
  }

  private void disarm(Timer timer) {
    if (timer.kind() != Timer.Kind.TALLY || !tallyTimers.remove(timer)) {
      timers.remove(timer);
    }
  }

  private <V extends org.apache.avro.specific.SpecificRecordBase> Optional<V> read(
      Bytes key, Codec<V> codec) {
    return Optional.ofNullable(store.get(key)).map(codec::decode);
  }
}
