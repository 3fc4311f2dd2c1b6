package dev.tocsin.processor;

import dev.tocsin.proto.state.SnapshotIncidentsResponse;
import dev.tocsin.runtime.Errors;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * The snapshots that are open: bounded in number and in time, since each keeps RocksDB from
 * dropping what has been replaced meanwhile. Thread-safe.
 */
final class SnapshotCalls {
  private static final Duration RETRY_AFTER = Duration.ofMillis(500);

  /** Incidents that all open snapshots keep as they were while the fold goes on. */
  static final int KEPT_MAX = 50_000;

  private final Semaphore places;
  private final Semaphore room = new Semaphore(KEPT_MAX);
  private final int placesMax;
  private final Duration openMax;
  private final Executor threads;
  private final ScheduledExecutorService timer;

  /**
   * None yet.
   *
   * @param placesMax how many can be open at once; one more is UNAVAILABLE
   * @param openMax how long one can be; then it ends with UNAVAILABLE
   * @param threads where the stores are read
   */
  SnapshotCalls(int placesMax, Duration openMax, Executor threads, ScheduledExecutorService timer) {
    this.places = new Semaphore(placesMax);
    this.placesMax = placesMax;
    this.openMax = openMax;
    this.threads = threads;
    this.timer = timer;
  }

  /** Begins one, or refuses it. Returns at once. */
  void open(
      PartitionView view,
      IncidentFilter filter,
      ServerCallStreamObserver<SnapshotIncidentsResponse> reply) {
    if (!places.tryAcquire()) {
      reply.onError(Errors.unavailable(placesMax + " snapshots are open already", RETRY_AFTER));
      return;
    }
    Future<?>[] expiry = new Future<?>[1];
    SnapshotCall call =
        new SnapshotCall(
            view,
            filter,
            reply,
            threads,
            room,
            () -> {
              expiry[0].cancel(false);
              places.release();
            });
    expiry[0] = timer.schedule(call::expire, openMax.toMillis(), TimeUnit.MILLISECONDS);
    reply.setOnCancelHandler(call::cancel);
    reply.setOnReadyHandler(call::wake);
    call.wake();
  }

  /** How many incidents are kept as they were. */
  int kept() {
    return KEPT_MAX - room.availablePermits();
  }

  /** How many are open. */
  int open() {
    return placesMax - places.availablePermits();
  }
}
