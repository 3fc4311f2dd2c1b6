package dev.tocsin.query;

import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.state.SnapshotIncidentsResponse;
import dev.tocsin.runtime.Errors;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The snapshots of all partitions, one after the other, and where each partition's events go on
 * behind its own: only one is open at a time, so a slow stream holds one view of one store, and one
 * part of it in memory.
 *
 * <p>Where a partition's events go on is noted before its snapshot is begun, so that no event falls
 * between the two; that none comes twice, the snapshot's sequence sees to.
 *
 * <p>One thread at a time; what other threads are told comes back to it by {@code inbox}.
 */
final class SnapshotWalk {
  /** How often a partition's snapshot is begun, as long as nothing of it has been given. */
  static final int ATTEMPTS_MAX = 40;

  /** Between two attempts. */
  static final Duration PAUSE = Duration.ofMillis(250);

  private static final Logger LOG = LoggerFactory.getLogger(SnapshotWalk.class);

  private final StreamFilter filter;
  private final EventRings rings;
  private final Snapshots snapshots;
  private final Consumer<Runnable> inbox;
  private final BiConsumer<Duration, Runnable> later;
  private final EventPosition[] positions;
  private int partition;
  private int attempts;
  private Attempt attempt;
  private boolean pausing;
  private StatusRuntimeException failure;

  /**
   * A walk that is yet to be begun.
   *
   * @param inbox runs a step in the walk's own thread; safe from any
   * @param later does the same after a while
   */
  SnapshotWalk(
      StreamFilter filter,
      EventRings rings,
      Snapshots snapshots,
      Consumer<Runnable> inbox,
      BiConsumer<Duration, Runnable> later) {
    this.filter = filter;
    this.rings = rings;
    this.snapshots = snapshots;
    this.inbox = inbox;
    this.later = later;
    this.positions = new EventPosition[rings.partitions()];
  }

  /** Whether everything has been given. */
  boolean done() {
    return partition == positions.length;
  }

  /** Where events go on, by partition, once done. */
  EventPosition[] positions() {
    return positions;
  }

  /**
   * The next incident; null if there is none yet, or none any more.
   *
   * @throws StatusRuntimeException if it cannot go on
   */
  Incident next() {
    while (failure == null && !done() && !pausing) {
      if (attempt == null) {
        attempt = new Attempt(rings.of(partition));
        attempt.begin();
      }
      if (attempt.part != null && attempt.index < attempt.part.getIncidentsCount()) {
        attempt.given = true;
        return attempt.part.getIncidents(attempt.index++);
      }
      if (!attempt.proceed()) {
        break;
      }
    }
    if (failure != null) {
      throw failure;
    }
    return null;
  }

  /** Ends what is open. */
  void close() {
    if (attempt != null) {
      attempt.cancel();
    }
  }

  private void ended(Attempt ended, Status status) {
    attempt = null;
    if (status.isOk()) {
      positions[partition] =
          new EventPosition(ended.eventsFrom, ended.appliedOffset - 1, ended.sequence);
      partition++;
      attempts = 0;
      return;
    }
    switch (status.getCode()) {
      // UNKNOWN no owner says: gRPC's client does of a connection that closes as a call begins.
      case UNAVAILABLE, CANCELLED, UNKNOWN, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED ->
          away(ended, status);
      default -> {
        LOG.error("the snapshot of partition {} failed: {}", partition, status);
        failure = Status.INTERNAL.withDescription("internal error").asRuntimeException();
      }
    }
  }

  private void away(Attempt ended, Status status) {
    attempts++;
    if (ended.given || attempts >= ATTEMPTS_MAX) {
      LOG.debug("no snapshot of partition {}: {}", partition, status);
      failure =
          Errors.unavailable(
              "the snapshot of partition %d cannot be taken now: begin anew".formatted(partition),
              OwnerCalls.RETRY_AFTER);
      return;
    }
    pausing = true;
    later.accept(PAUSE, () -> pausing = false);
  }

  /** One snapshot of one partition. */
  private final class Attempt implements Snapshots.Taker {
    private final long eventsFrom;
    private final Optional<EventItem> newest;
    private Snapshots.Reading reading;
    private SnapshotIncidentsResponse part;
    private int index;
    private boolean given;
    private boolean begun;
    private boolean asked = true;
    private long appliedOffset;
    private long sequence;
    private Status end;

    Attempt(EventRing ring) {
      // In this order: of all events, those before the place are then checked by what is newest,
      // and those behind it come.
      eventsFrom = ring.end();
      newest = Optional.ofNullable(ring.newest());
    }

    void begin() {
      reading = snapshots.open(partition, filter, this);
    }

    /** A part has been given, or there was none: goes on, if there is anything to go on with. */
    boolean proceed() {
      part = null;
      if (end != null) {
        SnapshotWalk.this.ended(this, end);
        return true;
      }
      if (!asked) {
        asked = true;
        reading.next();
      }
      return false;
    }

    void cancel() {
      reading.cancel();
    }

    @Override
    public void part(SnapshotIncidentsResponse given) {
      inbox.accept(() -> take(given));
    }

    @Override
    public void ended(Status status) {
      inbox.accept(
          () -> {
            if (end == null) {
              end = status.isOk() && !begun ? Status.INTERNAL : status;
            }
            if (!end.isOk() && !SnapshotWalk.Attempt.this.given) {
              part = null; // so that it can be begun once more
            }
          });
    }

    private void take(SnapshotIncidentsResponse taken) {
      if (end != null) {
        return;
      }
      appliedOffset = taken.getAppliedOffset();
      sequence = taken.getSequence();
      begun = true;
      if (stale()) {
        // It does not own the partition any more and has not noticed; its successor went on.
        end = Status.UNAVAILABLE.withDescription("it is older than what has been published");
        reading.cancel();
        return;
      }
      part = taken;
      index = 0;
      asked = false;
    }

    private boolean stale() {
      return newest
          .flatMap(EventItem::event)
          .filter(event -> event.sequence() > sequence)
          .isPresent();
    }
  }
}
