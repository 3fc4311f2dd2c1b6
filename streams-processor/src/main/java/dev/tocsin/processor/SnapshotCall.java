package dev.tocsin.processor;

import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.state.SnapshotIncidentsResponse;
import dev.tocsin.runtime.Errors;
import dev.tocsin.runtime.SerialTask;
import dev.tocsin.schemas.Codec.UnknownSchemaException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One SnapshotIncidents call: sends a partition's incidents a chunk at a time, each when the client
 * has taken the one before, and holds no thread meanwhile. The view of the store is closed when it
 * ends, however it ends: complete, cancelled, out of time, failed, or because the partition moved
 * away.
 *
 * <p>{@link #wake}, {@link #cancel} and {@link #expire} are safe from any thread; all else happens
 * in the one step.
 */
final class SnapshotCall {
  /** Of the incidents in one message, so far as one alone is not larger. */
  static final int CHUNK_BYTES_MAX = 256 << 10;

  /** Incidents looked at before others have a turn on the thread. */
  static final int SCANNED_MAX = 2_000;

  private static final Logger LOG = LoggerFactory.getLogger(SnapshotCall.class);
  private static final Duration RETRY_AFTER = Duration.ofMillis(500);

  private final PartitionView view;
  private final IncidentFilter filter;
  private final ServerCallStreamObserver<SnapshotIncidentsResponse> reply;
  private final Runnable closed;
  private final Semaphore room;
  private final SerialTask task;
  private volatile boolean cancelled;
  private volatile boolean expired;
  private IncidentSnapshot snapshot;
  private SnapshotIncidentsResponse.Builder chunk;
  private int chunkBytes;
  private boolean ended;

  /**
   * A call that begins with its first {@link #wake}.
   *
   * @param threads where the store is read
   * @param room for what the fold replaces meanwhile
   * @param closed run once, when it has ended
   */
  SnapshotCall(
      PartitionView view,
      IncidentFilter filter,
      ServerCallStreamObserver<SnapshotIncidentsResponse> reply,
      Executor threads,
      Semaphore room,
      Runnable closed) {
    this.room = room;
    this.view = view;
    this.filter = filter;
    this.reply = reply;
    this.closed = closed;
    this.task = new SerialTask(threads, this::step);
  }

  /** The client may have room. */
  void wake() {
    task.wake();
  }

  /** The client has gone. */
  void cancel() {
    cancelled = true;
    task.wake();
  }

  /** It has been open for as long as one may be. */
  void expire() {
    expired = true;
    task.wake();
  }

  private void step() {
    if (ended) {
      return;
    }
    try {
      if (cancelled) {
        end();
      } else if (expired) {
        fail(Errors.unavailable("the snapshot was not taken in time", RETRY_AFTER));
      } else if (reply.isReady()) {
        proceed();
      }
    } catch (InvalidStateStoreException | UnknownSchemaException moved) {
      fail(
          Errors.unavailable(
              "partition " + view.partition() + " is not answered by this instance now",
              RETRY_AFTER));
    } catch (IncidentSnapshot.OverrunException e) {
      fail(Errors.unavailable(e.getMessage(), RETRY_AFTER));
    } catch (RuntimeException e) {
      LOG.error("a snapshot of partition {} failed", view.partition(), e);
      fail(Status.INTERNAL.withDescription("the snapshot failed").asRuntimeException());
    }
  }

  private void proceed() {
    if (snapshot == null) {
      snapshot = filter.snapshot(view.store(), room);
      chunk = empty();
      send(); // so that its reader knows at once what it will have seen
      task.wake();
    } else if (!fill()) {
      task.wake();
    } else {
      boolean more = chunkBytes >= CHUNK_BYTES_MAX;
      if (chunk.getIncidentsCount() > 0) {
        send();
      }
      if (more) {
        task.wake();
      } else {
        end();
        reply.onCompleted();
      }
    }
  }

  /** Looks at some more incidents; false if neither the chunk is full nor the end reached. */
  private boolean fill() {
    for (int scanned = 0; scanned < SCANNED_MAX; scanned++) {
      if (chunkBytes >= CHUNK_BYTES_MAX) {
        return true;
      }
      Tallied next = snapshot.next();
      if (next == null) {
        return true;
      }
      if (filter.matches(next.incident())) {
        Incident incident = next.toProto(view.partition());
        chunk.addIncidents(incident);
        chunkBytes += incident.getSerializedSize();
      }
    }
    return false;
  }

  private void send() {
    SnapshotIncidentsResponse full = chunk.build();
    chunk = empty();
    chunkBytes = 0;
    reply.onNext(full);
  }

  private SnapshotIncidentsResponse.Builder empty() {
    return SnapshotIncidentsResponse.newBuilder()
        .setAppliedOffset(snapshot.state().getAppliedOffset())
        .setSequence(snapshot.state().getSequence());
  }

  private void fail(StatusRuntimeException error) {
    end();
    if (!cancelled) {
      reply.onError(error);
    }
  }

  private void end() {
    if (ended) {
      return;
    }
    ended = true;
    try {
      if (snapshot != null) {
        snapshot.close();
      }
    } finally {
      closed.run();
    }
  }
}
