package dev.tocsin.engine;

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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.avro.specific.SpecificRecordBase;

/**
 * A store that keeps bytes only, as one on disk does: nothing that the fold holds in the heap can
 * leak from one entry to the next, and it can be {@linkplain #restarted restarted}.
 */
final class BytesStore implements FoldStore {
  /** One kind of record by key. */
  static final class Table<T extends SpecificRecordBase> {
    private final Codec<T> codec;
    private final TreeMap<Key128, byte[]> rows = new TreeMap<>();

    private Table(Codec<T> codec) {
      this.codec = codec;
    }

    T get(Key128 key) {
      byte[] row = rows.get(key);
      return row == null ? null : codec.decode(row);
    }

    int size() {
      return rows.size();
    }

    /** All of it, by key. */
    Map<Key128, T> all() {
      Map<Key128, T> all = new TreeMap<>();
      rows.forEach((key, row) -> all.put(key, codec.decode(row)));
      return all;
    }

    private void put(Map<Key128, T> changed) {
      changed.forEach(
          (key, value) -> {
            if (value == null) {
              rows.remove(key);
            } else {
              rows.put(key, codec.encode(value));
            }
          });
    }
  }

  private static final Codec<PartitionState> STATE = Codec.of(PartitionState.class);
  private static final Codec<Rules> RULES = Codec.of(Rules.class);
  private static final Codec<FingerprintState> FINGERPRINT = Codec.of(FingerprintState.class);
  private static final Codec<GroupState> GROUP = Codec.of(GroupState.class);
  private static final Codec<Incident> INCIDENT = Codec.of(Incident.class);
  private static final Codec<Tally> TALLY = Codec.of(Tally.class);
  private static final Codec<InhibitionState> INHIBITION = Codec.of(InhibitionState.class);
  private static final Codec<SilenceState> SILENCE = Codec.of(SilenceState.class);
  private static final Codec<WorkspaceSilences> SILENCES = Codec.of(WorkspaceSilences.class);
  private static final Codec<Outcome> OUTCOME = Codec.of(Outcome.class);

  final Table<FingerprintState> conditions = new Table<>(FINGERPRINT);
  final Table<GroupState> groups = new Table<>(GROUP);
  final Table<Incident> incidents = new Table<>(INCIDENT);
  final Table<Tally> tallies = new Table<>(TALLY);
  final Table<Outcome> outcomes = new Table<>(OUTCOME);
  final Table<InhibitionState> inhibitions = new Table<>(INHIBITION);
  final Table<SilenceState> silences = new Table<>(SILENCE);
  final Table<WorkspaceSilences> workspaceSilences = new Table<>(SILENCES);
  final TreeSet<Timer> timers = new TreeSet<>();
  private final Receipts receipts = new Receipts();
  private final TreeMap<Long, TreeMap<Integer, byte[][]>> chunks = new TreeMap<>();
  private byte[] state = STATE.encode(InitialState.partition());
  private Rules rules = InitialState.rules();

  /** Another store with what this one would have left on disk. */
  BytesStore restarted() {
    receipts.expire(state().getFoldTimeMs(), rules);
    receipts.flush(
        new Receipts.Chunks() {
          @Override
          public void put(long bucket, int chunk, byte[] keys, byte[] positions) {
            byte[][] packed = {keys, positions};
            chunks.computeIfAbsent(bucket, any -> new TreeMap<>()).put(chunk, packed);
          }

          @Override
          public void delete(long bucket, int chunk) {
            chunks.get(bucket).remove(chunk);
          }
        });
    BytesStore next = new BytesStore();
    next.conditions.rows.putAll(conditions.rows);
    next.groups.rows.putAll(groups.rows);
    next.incidents.rows.putAll(incidents.rows);
    next.tallies.rows.putAll(tallies.rows);
    next.outcomes.rows.putAll(outcomes.rows);
    next.inhibitions.rows.putAll(inhibitions.rows);
    next.silences.rows.putAll(silences.rows);
    next.workspaceSilences.rows.putAll(workspaceSilences.rows);
    next.timers.addAll(timers);
    chunks.forEach(
        (bucket, all) ->
            all.forEach(
                (chunk, packed) -> {
                  next.receipts.load(bucket, chunk, packed[0], packed[1]);
                  next.chunks.computeIfAbsent(bucket, any -> new TreeMap<>()).put(chunk, packed);
                }));
    next.state = state;
    next.rules = rules;
    return next;
  }

  @Override
  public PartitionState state() {
    return STATE.decode(state);
  }

  @Override
  public Rules rules() {
    return rules;
  }

  @Override
  public FingerprintState fingerprint(Key128 key) {
    return conditions.get(key);
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
    return incidents.rows.descendingKeySet().stream()
        .filter(id -> before == null || id.compareTo(before) < 0)
        .filter(id -> incident(id).getWorkspace().equals(workspace))
        .filter(id -> Lifecycle.isOpen(incident(id)))
        .limit(max)
        .toList();
  }

  @Override
  public boolean received(Key128 receipt, long atMs) {
    return receipts.contains(receipt, atMs, rules);
  }

  /** What is remembered with a receipt's key. */
  Optional<Receipt> receipt(Key128 key) {
    return receipts
        .view(state().getFoldTimeMs(), rules)
        .find(Receipt.alert(key), Integer.MAX_VALUE)
        .newest()
        .stream()
        .filter(each -> each.key().equals(key))
        .findAny();
  }

  @Override
  public Optional<Timer> firstTimer() {
    return timers.isEmpty() ? Optional.empty() : Optional.of(timers.first());
  }

  @Override
  public void commit(Changes changes) {
    state = STATE.encode(changes.state());
    if (changes.rules() != null) {
      receipts.expire(changes.state().getFoldTimeMs(), rules);
      rules = RULES.decode(RULES.encode(changes.rules()));
    }
    conditions.put(changes.fingerprints());
    groups.put(changes.groups());
    incidents.put(changes.incidents());
    tallies.put(changes.tallies());
    outcomes.put(changes.outcomes());
    inhibitions.put(changes.inhibitions());
    silences.put(changes.silences());
    workspaceSilences.put(changes.workspaceSilences());
    timers.removeAll(changes.disarmed());
    timers.addAll(changes.armed());
    for (Receipt receipt : changes.receipts()) {
      receipts.add(receipt, changes.state().getFoldTimeMs(), rules);
    }
  }

  DigestSum digest() {
    DigestSum sum = new DigestSum();
    incidents.all().forEach((id, incident) -> sum.add(incident, tally(id)));
    return sum;
  }
}
