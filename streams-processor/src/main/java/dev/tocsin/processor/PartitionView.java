package dev.tocsin.processor;

import dev.tocsin.proto.incidents.Staleness;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.PartitionState;
import java.util.Comparator;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * One owned partition as readers see it: its store, how far it is applied, and who waits for more.
 * It answers as owner only once everything is applied that the log held when it was taken over.
 *
 * <p>Thread-safe; the fold's thread calls {@link #applied}.
 */
final class PartitionView implements IncidentView {
  /** No more readers can wait. */
  static final class TooManyWaitersException extends RuntimeException {
    TooManyWaitersException(int max) {
      super(max + " reads wait for this partition already");
    }
  }

  private record Waiter(long offset, CompletableFuture<Void> done) {}

  private static final long UNKNOWN = Long.MAX_VALUE;

  private final int partition;
  private final PartitionStore store;
  private final Executor replies;
  private final int waitersMax;
  private final RefusedRequests refused = new RefusedRequests();
  private final PriorityQueue<Waiter> waiters =
      new PriorityQueue<>(Comparator.comparingLong(Waiter::offset));
  private volatile long firstAwaited = UNKNOWN;
  private volatile long takenOverAt = UNKNOWN;
  private volatile long timersBehindMs;
  private boolean closed;

  PartitionView(int partition, PartitionStore store, Executor replies, int waitersMax) {
    this.partition = partition;
    this.store = store;
    this.replies = replies;
    this.waitersMax = waitersMax;
  }

  @Override
  public int partition() {
    return partition;
  }

  PartitionStore store() {
    return store;
  }

  /** The requests that this owner refused for want of room. */
  RefusedRequests refused() {
    return refused;
  }

  @Override
  public PartitionState state() {
    return store.state();
  }

  @Override
  public Optional<Tallied> read(Key128 id) {
    return store.read(id);
  }

  @Override
  public IndexWalk walk(String workspace, boolean open, boolean notOpen, Key128 before) {
    return store.walk(workspace, open, notOpen, before);
  }

  @Override
  public Optional<Staleness> staleness() {
    return Optional.empty();
  }

  /** The first offset that is not applied. */
  long appliedOffset() {
    return state().getAppliedOffset();
  }

  /** What the log's end was when the partition was taken over. */
  void takenOver(long endOffset) {
    takenOverAt = endOffset;
  }

  /** Whether it answers as owner. */
  boolean caughtUp() {
    return appliedOffset() >= takenOverAt;
  }

  /** Whether it is known that it lags behind what it has to have applied to answer as owner. */
  boolean behind() {
    long end = takenOverAt;
    return end != UNKNOWN && appliedOffset() < end;
  }

  /**
   * Done when the entry at {@code offset} is applied; fails if the partition moves away first.
   *
   * @throws TooManyWaitersException if no more can wait
   */
  CompletableFuture<Void> await(long offset) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    synchronized (waiters) {
      if (closed) {
        done.cancel(false);
        return done;
      }
      if (waiters.size() >= waitersMax) {
        waiters.removeIf(waiter -> waiter.done().isDone());
        if (waiters.size() >= waitersMax) {
          throw new TooManyWaitersException(waitersMax);
        }
      }
      waiters.add(new Waiter(offset, done));
      firstAwaited = waiters.peek().offset();
    }
    applied(); // it may have been just now
    return done;
  }

  /** Something more is applied: answers who waited for it. Costs one read while nobody does. */
  void applied() {
    if (firstAwaited >= appliedOffset()) {
      return;
    }
    synchronized (waiters) {
      while (!waiters.isEmpty() && waiters.peek().offset() < appliedOffset()) {
        CompletableFuture<Void> done = waiters.poll().done();
        reply(() -> done.complete(null));
      }
      firstAwaited = waiters.isEmpty() ? UNKNOWN : waiters.peek().offset();
    }
  }

  /** How long ago the first thing was due that is not settled yet, by fold time. */
  void timersBehind(long ms) {
    timersBehindMs = ms;
  }

  /** The same, in milliseconds; 0 where nothing is left. For any thread. */
  long timersBehindMs() {
    return timersBehindMs;
  }

  /** The partition moves away: nobody waits here any longer. */
  void close() {
    synchronized (waiters) {
      closed = true;
      waiters.forEach(waiter -> reply(() -> waiter.done().cancel(false)));
      waiters.clear();
      firstAwaited = UNKNOWN;
    }
  }

  private void reply(Runnable answer) {
    try {
      replies.execute(answer);
    } catch (RejectedExecutionException stopping) {
      answer.run(); // nobody is left waiting
    }
  }
}
