package dev.tocsin.query;

import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentEventType;
import dev.tocsin.runtime.Errors;
import dev.tocsin.runtime.IncidentMapper;
import dev.tocsin.runtime.SerialTask;
import dev.tocsin.schemas.Codec;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream's whole life: snapshot, then live, or live from where a token says. It sends only what
 * the connection takes, and keeps positions rather than events: while its client is slow the events
 * wait in the ring, then in the topic.
 *
 * <p>Everything happens in the steps of one {@link SerialTask}; the public part is safe from any
 * thread and never waits.
 */
final class Subscriber {
  /** Events sent before others have a turn on the thread. */
  private static final int TURN = 256;

  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
  private static final Logger LOG = LoggerFactory.getLogger(Subscriber.class);

  /** Where events come from and what all streams share. */
  record Sources(
      EventRings rings,
      OlderEvents older,
      Snapshots snapshots,
      java.util.concurrent.Executor threads,
      ScheduledExecutorService timer,
      StreamMetrics metrics) {}

  private final Sources sources;
  private final StreamFilter filter;
  private final Duration heartbeat;
  private final ResumeTokens.Writer tokens;
  private final ServerCallStreamObserver<IncidentEvent> replies;
  private final Runnable onEnd;
  private final SerialTask task;

  /** What others have told it: an answer, a part, an end and a timer's at most, at once. */
  private final Queue<Runnable> inbox = new ConcurrentLinkedQueue<>();

  private volatile boolean cancelled;
  private volatile StatusRuntimeException stopped;
  private volatile boolean ended;
  private volatile long sentNanos = System.nanoTime();
  private volatile boolean heartbeatDue;

  private SnapshotWalk walk;
  private EventFeed feed;
  private boolean completeDue;
  private volatile Future<?> nextBeat = CompletableFuture.completedFuture(null);

  /**
   * A stream that begins with its first {@link #wake}.
   *
   * @param resumed where it goes on; empty to begin anew
   * @param onEnd run once, when it has ended
   */
  Subscriber(
      Sources sources,
      StreamQuery query,
      Optional<List<EventPosition>> resumed,
      ResumeTokens.Writer tokens,
      ServerCallStreamObserver<IncidentEvent> replies,
      Runnable onEnd) {
    this.sources = sources;
    this.filter = query.filter();
    this.heartbeat = query.heartbeat();
    this.tokens = tokens;
    this.replies = replies;
    this.onEnd = onEnd;
    this.task = new SerialTask(sources.threads(), this::step);
    EventRings rings = sources.rings();
    if (resumed.isPresent()) {
      feed = feed(resumed.get().toArray(EventPosition[]::new));
    } else if (query.liveOnly()) {
      EventPosition[] ends = new EventPosition[rings.partitions()];
      for (int partition = 0; partition < ends.length; partition++) {
        ends[partition] = EventPosition.at(rings.of(partition).end());
      }
      feed = feed(ends);
      completeDue = true;
    } else {
      walk = new SnapshotWalk(filter, rings, sources.snapshots(), this::tell, this::tellLater);
      completeDue = true;
    }
  }

  private EventFeed feed(EventPosition[] from) {
    return new EventFeed(sources.rings(), sources.older(), sources.metrics(), this::tell, from);
  }

  /** Begins, or goes on: there may be something to send, or room for it. */
  void wake() {
    task.wake();
  }

  /** Begins to send heartbeats. */
  void beat() {
    beatAfter(heartbeat);
  }

  /** The client has gone. */
  void cancel() {
    cancelled = true;
    task.wake();
  }

  /** Ends with an error; its client has the last token. */
  void stop(StatusRuntimeException why) {
    stopped = why;
    task.wake();
  }

  private void tell(Runnable what) {
    inbox.add(what);
    task.wake();
  }

  private void tellLater(Duration pause, Runnable what) {
    var unused = schedule(pause, () -> tell(what));
  }

  private void step() {
    if (ended) {
      inbox.clear();
      return;
    }
    if (cancelled) { // before what it was told, which may say that it failed: nobody hears that
      end();
      return;
    }
    try {
      for (Runnable told = inbox.poll(); told != null; told = inbox.poll()) {
        told.run();
      }
      proceed();
    } catch (StatusRuntimeException e) {
      fail(e);
    } catch (Codec.UnknownSchemaException e) {
      LOG.warn("a stream ends: {}", e.getMessage());
      fail(Errors.unavailable("events are written by a newer version than this", RETRY_AFTER));
    } catch (RuntimeException | Error e) { // it would stay open and silent otherwise
      LOG.error("a stream failed", e);
      fail(Status.INTERNAL.withDescription("internal error").asRuntimeException());
    }
  }

  private void proceed() {
    if (stopped != null) {
      throw stopped;
    } else if (walk != null) {
      snapshot();
    } else {
      live();
    }
  }

  private void snapshot() {
    for (int sent = 0; sent < TURN; sent++) {
      if (!replies.isReady()) {
        return;
      }
      if (heartbeatDue) { // the owner of a partition is waited for
        send(
            IncidentEvent.newBuilder()
                .setEventType(IncidentEventType.INCIDENT_EVENT_TYPE_HEARTBEAT));
        continue;
      }
      Incident incident = walk.next();
      if (incident != null) {
        send(
            IncidentEvent.newBuilder()
                .setIncidentId(incident.getId())
                .setEventType(IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT)
                .setIncident(incident));
      } else if (walk.done()) {
        feed = feed(walk.positions());
        walk = null;
        live();
        return;
      } else {
        return;
      }
    }
    task.wake();
  }

  private void live() {
    for (int sent = 0; sent < TURN; sent++) {
      if (!replies.isReady()) {
        feed.release();
        return;
      }
      if (completeDue) {
        completeDue = false;
        sign(IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE);
        continue; // there may be no room any more
      }
      if (heartbeatDue) { // also where events come all the time, and none matches
        sign(IncidentEventType.INCIDENT_EVENT_TYPE_HEARTBEAT);
        continue;
      }
      EventItem item = feed.next();
      if (item == null) {
        return;
      }
      deliver(item);
    }
    task.wake();
  }

  private void deliver(EventItem item) {
    EventPosition[] positions = feed.positions();
    EventPosition before = positions[item.partition()];
    Optional<LiveEvent> read = item.event();
    if (read.isEmpty() || before.contains(read.get())) {
      positions[item.partition()] = before.past(item.offset());
      return;
    }
    LiveEvent event = read.get();
    boolean known = before.sequence() != EventPosition.NONE;
    if (known && event.sequence() != before.sequence() + 1) {
      throw IncidentStreams.expired("events are missing");
    }
    positions[item.partition()] =
        new EventPosition(item.offset() + 1, event.logOffset(), event.sequence());
    filter.tells(event).ifPresent(type -> send(item.partition(), event, type));
  }

  private void send(int partition, LiveEvent event, IncidentEventType type) {
    send(
        IncidentEvent.newBuilder()
            .setIncidentId(event.incident().getId())
            .setEventType(type)
            .setIncident(event.incident())
            .setAt(IncidentMapper.time(event.atMs()))
            .setSequence(event.sequence())
            .setLogOffset(event.logOffset())
            .setPartition(partition)
            .setResumeToken(tokens.token(feed.positions())));
  }

  /** Sends what concerns no incident. */
  private void sign(IncidentEventType type) {
    send(
        IncidentEvent.newBuilder()
            .setEventType(type)
            .setResumeToken(tokens.token(feed.positions())));
  }

  private void send(IncidentEvent.Builder event) {
    replies.onNext(event.build());
    sentNanos = System.nanoTime();
    heartbeatDue = false;
    sources.metrics().sent();
  }

  private void beatAfter(Duration wait) {
    nextBeat =
        schedule(
            wait,
            () -> {
              long left = heartbeat.toNanos() - (System.nanoTime() - sentNanos);
              if (left <= 0) {
                heartbeatDue = true;
                task.wake();
              }
              if (!ended) {
                beatAfter(left <= 0 ? heartbeat : Duration.ofNanos(left));
              }
            });
  }

  private Future<?> schedule(Duration wait, Runnable what) {
    try {
      return sources.timer().schedule(what, wait.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException stopping) {
      return CompletableFuture.completedFuture(null); // the streams end soon
    }
  }

  private void fail(StatusRuntimeException error) {
    end();
    replies.onError(error);
  }

  private void end() {
    ended = true;
    nextBeat.cancel(false);
    try {
      if (walk != null) {
        walk.close();
      }
      if (feed != null) {
        feed.release();
      }
    } finally {
      onEnd.run();
    }
  }
}
