package dev.tocsin.processor;

import java.time.Clock;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.processor.StandbyUpdateListener;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;

/**
 * The copies of partitions' stores that this instance keeps, and whether each is whole. A copy that
 * is still being filled is not a state that ever was, since its changelog is compacted: it answers
 * nothing. It is whole once it has all that the owner had committed at some moment since the copy
 * was begun; the owner's offset in the log is committed together with its state, and the state says
 * its offset. From then on it only follows.
 *
 * <p>Streams tells when copies come and go. Thread-safe; never blocks, but for {@link #check}'s
 * reads of a store.
 */
final class Standbys implements StandbyUpdateListener, StateRestoreListener {
  /** Reads that wait to be told where the log ends. */
  static final int WAITING_MAX = 10_000;

  /** One copy, from when Streams began it. */
  private static final class Copy {
    private volatile long storedTo = -1;
    private volatile CompletionStage<Long> committed;
    private volatile boolean whole;
  }

  private final IntFunction<ReadOnlyKeyValueStore<Bytes, byte[]>> stores;
  private final IntFunction<CompletionStage<Long>> committed;
  private final FreshEnds logEnds;
  private final Executor reads;
  private final StateCodecs codecs;
  private final Clock clock;
  private final Map<Integer, Copy> copies = new ConcurrentHashMap<>();
  private final AtomicInteger waiting = new AtomicInteger();

  /**
   * None yet.
   *
   * @param stores the store of a partition, whoever owns it; throws if there is none here
   * @param committed the offset that the owner of a partition last committed
   * @param logEnds where a partition of the log ends now
   * @param reads runs what reads stores
   * @param codecs read what owners wrote
   */
  Standbys(
      IntFunction<ReadOnlyKeyValueStore<Bytes, byte[]>> stores,
      IntFunction<CompletionStage<Long>> committed,
      IntFunction<CompletionStage<Long>> logEnds,
      Executor reads,
      StateCodecs codecs,
      Clock clock) {
    this.codecs = codecs;
    this.stores = stores;
    this.committed = committed;
    this.logEnds = new FreshEnds(logEnds);
    this.reads = reads;
    this.clock = clock;
  }

  /**
   * A view of the copy of {@code partition}, given on a thread that may read it. Fails with {@link
   * InvalidStateStoreException} if there is none that is whole, and if it cannot be told how stale
   * it is.
   */
  CompletionStage<StandbyView> view(int partition) {
    Copy copy = copies.get(partition);
    if (copy == null) {
      return failed("no copy here");
    }
    if (waiting.incrementAndGet() > WAITING_MAX) {
      waiting.decrementAndGet();
      return failed("too many reads wait");
    }
    return committed(copy, partition)
        .thenCombine(logEnds.end(partition), (committed, end) -> new long[] {committed, end})
        .whenComplete((told, failure) -> waiting.decrementAndGet())
        .thenApplyAsync(told -> view(partition, copy, told[0], told[1]), reads);
  }

  /**
   * To be called after reading.
   *
   * @throws InvalidStateStoreException if the copy was replaced since it was begun to be read
   */
  void check(StandbyView view) {
    Copy copy = copies.get(view.partition());
    if (copy == null || !copy.whole) {
      throw new InvalidStateStoreException("the copy went while it was read");
    }
  }

  /** This instance owns the partition now; its store is whole, even if it lags. */
  void owned(int partition) {
    Copy copy = new Copy();
    copy.whole = true;
    copies.put(partition, copy);
  }

  /** This instance does not own the partition any more. */
  void lost(int partition) {
    copies.remove(partition);
  }

  @Override
  public void onUpdateStart(TopicPartition changelog, String store, long offset) {
    copies.put(changelog.partition(), new Copy());
  }

  @Override
  public void onUpdateSuspended(
      TopicPartition changelog, String store, long offset, long end, SuspendReason reason) {
    if (reason != SuspendReason.PROMOTED) {
      copies.remove(changelog.partition());
      return;
    }
    // It is this instance's to own, and goes on being filled as before.
    Copy copy = copies.get(changelog.partition());
    if (copy != null) {
      copy.storedTo = offset;
    }
  }

  @Override
  public void onRestoreStart(TopicPartition changelog, String store, long from, long to) {
    copies.computeIfPresent(
        changelog.partition(), (partition, copy) -> from < copy.storedTo ? null : copy);
  }

  @Override
  public void onBatchLoaded(
      TopicPartition changelog,
      String store,
      org.apache.kafka.streams.processor.TaskId task,
      long batchEnd,
      long batchSize,
      long end) {}

  @Override
  public void onBatchRestored(TopicPartition changelog, String store, long end, long restored) {}

  @Override
  public void onRestoreEnd(TopicPartition changelog, String store, long restored) {}

  private StandbyView view(int partition, Copy copy, long committed, long end) {
    ReadOnlyKeyValueStore<Bytes, byte[]> store = stores.apply(partition);
    StandbyView view = new StandbyView(partition, store, codecs, end, clock.millis());
    if (!copy.whole) {
      if (view.state().getAppliedOffset() < committed) {
        throw new InvalidStateStoreException("the copy is not whole yet");
      }
      copy.whole = true;
    }
    if (copies.get(partition) != copy) {
      throw new InvalidStateStoreException("the copy was replaced");
    }
    return view;
  }

  /** Asked once a copy; again only if the answer was an error. */
  private CompletionStage<Long> committed(Copy copy, int partition) {
    if (copy.whole) {
      return CompletableFuture.completedStage(0L);
    }
    CompletionStage<Long> asked = copy.committed;
    if (asked == null) {
      asked = committed.apply(partition);
      copy.committed = asked;
      asked.whenComplete(
          (offset, failure) -> {
            if (failure != null) {
              copy.committed = null;
            }
          });
    }
    return asked;
  }

  private static <T> CompletionStage<T> failed(String why) {
    return CompletableFuture.failedStage(new InvalidStateStoreException(why));
  }
}
