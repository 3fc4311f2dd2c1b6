package dev.tocsin.processor;

import com.google.protobuf.Duration;
import dev.tocsin.engine.InitialState;
import dev.tocsin.proto.incidents.Staleness;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.PartitionState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;

/**
 * A partition's incidents as a copy of its store has them: what the owner committed, up to where
 * the copy has come. The copy goes on meanwhile, and may stand in the middle of a commit: then an
 * incident is as it was before it or after it.
 */
final class StandbyView implements IncidentView {

  private final int partition;
  private final ReadOnlyKeyValueStore<Bytes, byte[]> store;
  private final StateCodecs codecs;
  private final PartitionState state;
  private final Staleness staleness;

  /**
   * A view of what {@code store} has now or gets.
   *
   * @param logEnd where the log ends now
   * @param nowMs the present
   */
  StandbyView(
      int partition,
      ReadOnlyKeyValueStore<Bytes, byte[]> store,
      StateCodecs codecs,
      long logEnd,
      long nowMs) {
    this.codecs = codecs;
    this.partition = partition;
    this.store = store;
    this.state = state(store, codecs);
    long behind = Math.max(0, logEnd - state.getAppliedOffset());
    // What it lacks came after what it has, so it was the present at the last fold time or later.
    long ageMs = behind == 0 ? 0 : Math.max(0, nowMs - state.getFoldTimeMs());
    this.staleness =
        Staleness.newBuilder()
            .setEntries(behind)
            .setAge(
                Duration.newBuilder()
                    .setSeconds(ageMs / 1_000)
                    .setNanos((int) (ageMs % 1_000) * 1_000_000))
            .build();
  }

  /** How far a store is, by what stands in it. */
  private static PartitionState state(
      ReadOnlyKeyValueStore<Bytes, byte[]> store, StateCodecs codecs) {
    byte[] bytes = store.get(StateKeys.STATE);
    return bytes == null ? InitialState.partition() : codecs.states().decode(bytes);
  }

  @Override
  public int partition() {
    return partition;
  }

  @Override
  public PartitionState state() {
    return state;
  }

  @Override
  public Optional<Tallied> read(Key128 id) {
    byte[] incident = store.get(StateKeys.of(StateKeys.INCIDENT, id));
    byte[] tally = store.get(StateKeys.of(StateKeys.TALLY, id));
    // A commit may be half here: of one that comes or goes, both are there or it is not.
    return incident == null || tally == null
        ? Optional.empty()
        : Optional.of(
            new Tallied(codecs.incidents().decode(incident), codecs.tallies().decode(tally)));
  }

  /**
   * The open ones are walked twice if the others are too: an incident may move between the two
   * while the iterators are made, and so is in one of the three.
   */
  @Override
  public IndexWalk walk(String workspace, boolean open, boolean notOpen, Key128 before) {
    List<KeyValueIterator<Bytes, byte[]>> ranges = new ArrayList<>();
    try {
      if (open) {
        ranges.add(range(workspace, true, before));
      }
      if (notOpen) {
        ranges.add(range(workspace, false, before));
      }
      if (open && notOpen) {
        ranges.add(range(workspace, true, before));
      }
      return new IndexWalk(ranges, state);
    } catch (RuntimeException e) {
      ranges.forEach(KeyValueIterator::close);
      throw e;
    }
  }

  @Override
  public Optional<Staleness> staleness() {
    return Optional.of(staleness);
  }

  private KeyValueIterator<Bytes, byte[]> range(String workspace, boolean open, Key128 before) {
    return store.range(
        StateKeys.indexFrom(workspace, open, before), StateKeys.indexEnd(workspace, open));
  }
}
