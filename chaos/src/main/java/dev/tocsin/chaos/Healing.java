package dev.tocsin.chaos;

import dev.tocsin.proto.admin.AdminGrpc;
import dev.tocsin.proto.admin.GetProgressRequest;
import dev.tocsin.proto.admin.PartitionProgress;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Whether all is well again: every part that is meant to run serves, alerts are acknowledged, what
 * was acknowledged or appended by then is applied, and owners alone answer. Of one thread.
 */
final class Healing {
  /** Far above any fail-over at these time-outs, also on a busy machine. */
  static final Duration MAX = Duration.ofMinutes(2);

  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration CALL_MAX = Duration.ofSeconds(5);

  /** How often it is said what is still not well. */
  private static final Duration SAID_EVERY = Duration.ofSeconds(5);

  private final Cluster cluster;
  private final AlertLoad load;
  private final LoadCounts counts;
  private final Consumer<String> progress;

  Healing(Cluster cluster, AlertLoad load, LoadCounts counts, Consumer<String> progress) {
    this.cluster = cluster;
    this.load = load;
    this.counts = counts;
    this.progress = progress;
  }

  /**
   * Waits until every part serves.
   *
   * @param after what, for the message
   */
  void awaitServing(String after) throws InterruptedException, NotHealedException {
    await(after, System.nanoTime(), cluster::trouble);
  }

  /** Waits until all is well, under load. */
  void await(String after) throws InterruptedException, NotHealedException {
    long begun = System.nanoTime();
    await(after, begun, cluster::trouble);
    long before = counts.acked.get();
    await(
        after,
        begun,
        () ->
            counts.acked.get() > before
                ? Optional.empty()
                : Optional.of("no alert is acknowledged"));
    awaitApplied(after, load.acked(), begun);
    await(after, begun, this::staleness);
    await(after, begun, cluster::trouble);
  }

  /** Waits until these offsets, by partition, are applied. */
  void awaitApplied(String after, Map<Integer, Long> offsets)
      throws InterruptedException, NotHealedException {
    awaitApplied(after, offsets, System.nanoTime());
  }

  private void awaitApplied(String after, Map<Integer, Long> offsets, long begun)
      throws InterruptedException, NotHealedException {
    await(after, begun, () -> lag(offsets));
  }

  private Optional<String> lag(Map<Integer, Long> offsets) {
    try {
      for (PartitionProgress each :
          AdminGrpc.newBlockingStub(cluster.query().channel())
              .withDeadlineAfter(CALL_MAX)
              .getProgress(GetProgressRequest.getDefaultInstance())
              .getPartitionsList()) {
        long wanted = offsets.getOrDefault(each.getPartition(), -1L);
        if (!each.getCaughtUp() || each.getAppliedOffset() <= wanted) {
          return Optional.of(
              "partition %d is applied up to %d, and %d was appended"
                  .formatted(each.getPartition(), each.getAppliedOffset(), wanted));
        }
      }
      return Optional.empty();
    } catch (StatusRuntimeException e) {
      return Optional.of("progress is not told: " + Answers.text(e.getStatus()));
    }
  }

  private Optional<String> staleness() {
    try {
      return IncidentServiceGrpc.newBlockingStub(cluster.edge().channel())
              .withDeadlineAfter(CALL_MAX)
              .listIncidents(ListIncidentsRequest.newBuilder().setPageSize(1).build())
              .hasStaleness()
          ? Optional.of("an owner is away: a list is stale")
          : Optional.empty();
    } catch (StatusRuntimeException e) {
      return Optional.of("a list is refused: " + Answers.text(e.getStatus()));
    }
  }

  /** Waits until there is no trouble any more, so far as it is not later than {@link #MAX}. */
  private void await(String after, long begunNanos, Supplier<Optional<String>> trouble)
      throws InterruptedException, NotHealedException {
    long saidNanos = System.nanoTime();
    Optional<String> last = trouble.get();
    while (last.isPresent()) {
      if (System.nanoTime() - begunNanos > MAX.toNanos()) {
        throw new NotHealedException(
            "not healed in %d s after %s: %s".formatted(MAX.toSeconds(), after, last.get()));
      }
      if (System.nanoTime() - saidNanos > SAID_EVERY.toNanos()) {
        saidNanos = System.nanoTime();
        progress.accept("... " + last.get());
      }
      TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
      last = trouble.get();
    }
  }
}
