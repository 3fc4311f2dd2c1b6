package dev.tocsin.processor;

import dev.tocsin.runtime.Errors;
import io.grpc.Deadline;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/**
 * Waits until a position is applied. A position just given by an ack is applied within
 * milliseconds; only where it is not soon is the log asked whether it reaches that far at all.
 * Thread-safe; never blocks.
 */
final class PositionWait {
  private static final Duration SOON = Duration.ofMillis(100);
  private static final Duration WAIT_MAX = Duration.ofSeconds(30);

  private final IntFunction<CompletionStage<Long>> logEnds;
  private final ScheduledExecutorService timer;

  PositionWait(IntFunction<CompletionStage<Long>> logEnds, ScheduledExecutorService timer) {
    this.logEnds = logEnds;
    this.timer = timer;
  }

  /**
   * Done when the entry at {@code offset} is applied. Fails with INVALID_ARGUMENT if the log does
   * not reach that far, with DEADLINE_EXCEEDED at the deadline, or after 30 seconds where the
   * caller has none, and is cancelled if the partition moves away.
   */
  CompletableFuture<Void> until(PartitionView view, long offset, Deadline deadline) {
    CompletableFuture<Void> applied = view.await(offset);
    ScheduledFuture<?> check =
        timer.schedule(
            () -> checkEnd(view, offset, applied), SOON.toMillis(), TimeUnit.MILLISECONDS);
    long leftMs =
        deadline == null ? WAIT_MAX.toMillis() : deadline.timeRemaining(TimeUnit.MILLISECONDS);
    ScheduledFuture<?> end =
        timer.schedule(
            () -> applied.completeExceptionally(Errors.deadline("min_position is not applied yet")),
            Math.min(leftMs, WAIT_MAX.toMillis()),
            TimeUnit.MILLISECONDS);
    return applied.whenComplete(
        (done, failure) -> {
          check.cancel(false);
          end.cancel(false);
        });
  }

  private void checkEnd(PartitionView view, long offset, CompletableFuture<Void> applied) {
    logEnds
        .apply(view.partition())
        .whenComplete(
            (end, failure) -> {
              if (failure == null && offset >= end) {
                applied.completeExceptionally(
                    Errors.invalid(
                        "min_position",
                        "offset %d of partition %d is beyond the log's end, %d"
                            .formatted(offset, view.partition(), end)));
              }
            });
  }
}
