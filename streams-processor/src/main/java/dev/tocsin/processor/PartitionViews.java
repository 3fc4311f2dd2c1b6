package dev.tocsin.processor;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The partitions that this instance owns now. Thread-safe. */
final class PartitionViews {
  private static final Logger LOG = LoggerFactory.getLogger(PartitionViews.class);
  private static final Duration RETRY = Duration.ofMillis(500);

  private final Map<Integer, PartitionView> owned = new ConcurrentHashMap<>();
  private final IntFunction<CompletionStage<Long>> logEnds;
  private final ScheduledExecutorService timer;
  private final Executor replies;
  private final int waitersMax;
  private volatile IntConsumer opened = partition -> {};
  private volatile IntConsumer closed = partition -> {};

  /**
   * None yet.
   *
   * @param logEnds where a partition of the log ends now
   * @param replies runs the reads that had to wait for a position
   */
  PartitionViews(
      IntFunction<CompletionStage<Long>> logEnds,
      ScheduledExecutorService timer,
      Executor replies,
      int waitersMax) {
    this.logEnds = logEnds;
    this.timer = timer;
    this.replies = replies;
    this.waitersMax = waitersMax;
  }

  /** Tells {@code opened} and {@code closed} of what is owned from now on and no longer. */
  void watch(IntConsumer opened, IntConsumer closed) {
    this.opened = opened;
    this.closed = closed;
  }

  /**
   * A partition is taken over: it is read from now on, and answers once it has caught up with the
   * log's end of now.
   */
  PartitionView open(int partition, PartitionStore store) {
    PartitionView view = new PartitionView(partition, store, replies, waitersMax);
    owned.put(partition, view);
    opened.accept(partition);
    observeEnd(view);
    return view;
  }

  /** The partition moves away. */
  void close(PartitionView view) {
    owned.remove(view.partition(), view);
    closed.accept(view.partition());
    view.close();
  }

  /** The partition, if it is owned here and has caught up. */
  Optional<PartitionView> answering(int partition) {
    return Optional.ofNullable(owned.get(partition)).filter(PartitionView::caughtUp);
  }

  /** All that are owned here, by number. */
  Collection<PartitionView> owned() {
    List<PartitionView> all = new ArrayList<>(owned.values());
    all.sort(Comparator.comparingInt(PartitionView::partition));
    return all;
  }

  /**
   * For how long something has been due that is not settled yet, in seconds; of all the longest.
   */
  double timersBehindSeconds() {
    return owned.values().stream().mapToLong(PartitionView::timersBehindMs).max().orElse(0) / 1e3;
  }

  private void observeEnd(PartitionView view) {
    logEnds
        .apply(view.partition())
        .whenComplete(
            (end, failure) -> {
              if (failure == null) {
                view.takenOver(end);
              } else if (owned.get(view.partition()) == view) {
                LOG.warn(
                    "cannot read the log's end of partition {} yet: {}",
                    view.partition(),
                    failure.toString());
                ScheduledFuture<?> unused =
                    timer.schedule(() -> observeEnd(view), RETRY.toMillis(), TimeUnit.MILLISECONDS);
              }
            });
  }
}
