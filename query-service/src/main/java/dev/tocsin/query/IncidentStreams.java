package dev.tocsin.query;

import com.google.rpc.Code;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import dev.tocsin.runtime.Caller;
import dev.tocsin.runtime.Errors;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/** StreamIncidents: lets streams in, and wakes them when there is something new. Thread-safe. */
final class IncidentStreams {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final String generation;
  private final Supplier<Optional<EventRings>> rings;
  private final OlderEvents older;
  private final Snapshots snapshots;
  private final Executor threads;
  private final ScheduledExecutorService timer;
  private final StreamMetrics metrics;
  private final Semaphore places;
  private final int streamsMax;
  private final Set<Subscriber> subscribers = ConcurrentHashMap.newKeySet();
  private volatile ResumeTokens tokens;
  private volatile boolean stopping;

  /**
   * None yet; all are refused until {@link #open(byte[])}.
   *
   * @param generation whose events they are
   * @param rings what has been read of them; empty while they are not followed
   * @param threads where streams are served
   */
  IncidentStreams(
      String generation,
      int streamsMax,
      Supplier<Optional<EventRings>> rings,
      OlderEvents older,
      Snapshots snapshots,
      Executor threads,
      ScheduledExecutorService timer,
      StreamMetrics metrics) {
    this.generation = generation;
    this.streamsMax = streamsMax;
    this.places = new Semaphore(streamsMax);
    this.rings = rings;
    this.older = older;
    this.snapshots = snapshots;
    this.threads = threads;
    this.timer = timer;
    this.metrics = metrics;
  }

  /** Lets streams in. */
  void open(byte[] tokenKey) {
    tokens = new ResumeTokens(tokenKey);
  }

  /** How many are open. */
  int open() {
    return streamsMax - places.availablePermits();
  }

  /** There are new events. */
  void wake() {
    subscribers.forEach(Subscriber::wake);
  }

  /**
   * Ends all with UNAVAILABLE if the events are not followed: they would tell nothing while
   * incidents change, and nobody could see it. Another instance may follow them. To be called again
   * and again.
   */
  void check() {
    if (rings.get().isEmpty()) {
      subscribers.forEach(each -> each.stop(unfollowed()));
    }
  }

  /** Ends all with UNAVAILABLE, and lets no more in. */
  void stop() {
    stopping = true;
    subscribers.forEach(each -> each.stop(stops()));
  }

  /** Begins a stream, or refuses it. Returns at once. */
  void stream(StreamIncidentsRequest request, ServerCallStreamObserver<IncidentEvent> replies) {
    try {
      StreamQuery query = StreamQuery.read(request, Caller.current().workspace());
      ResumeTokens signed = tokens;
      EventRings found = signed == null ? null : rings.get().orElse(null);
      if (found == null) {
        throw unfollowed();
      }
      Optional<List<EventPosition>> resumed =
          query.token().isEmpty()
              ? Optional.empty()
              : Optional.of(positions(query, signed, found.partitions()));
      begin(query, resumed, signed, found, replies);
    } catch (StatusRuntimeException refused) {
      replies.onError(refused);
    }
  }

  private void begin(
      StreamQuery query,
      Optional<List<EventPosition>> resumed,
      ResumeTokens signed,
      EventRings found,
      ServerCallStreamObserver<IncidentEvent> replies) {
    if (!places.tryAcquire()) {
      throw Errors.unavailable(streamsMax + " streams are open already", RETRY_AFTER);
    }
    Subscriber[] self = new Subscriber[1];
    Subscriber subscriber =
        new Subscriber(
            new Subscriber.Sources(found, older, snapshots, threads, timer, metrics),
            query,
            resumed,
            signed.writer(generation, query.filter()),
            replies,
            () -> {
              subscribers.remove(self[0]);
              places.release();
            });
    self[0] = subscriber;
    subscribers.add(subscriber);
    replies.setOnCancelHandler(subscriber::cancel);
    replies.setOnReadyHandler(subscriber::wake);
    subscriber.beat();
    subscriber.wake();
    if (stopping) {
      subscriber.stop(stops());
    }
  }

  private List<EventPosition> positions(StreamQuery query, ResumeTokens signed, int partitions) {
    ResumeToken token =
        signed
            .parse(query.token())
            .orElseThrow(() -> Errors.invalid("resume_token", "is not a token of a stream"));
    if (!token.workspace().equals(query.filter().workspaceDigest())) {
      throw Errors.because(
          Code.PERMISSION_DENIED,
          "RESUME_WORKSPACE",
          "resume_token: belongs to another workspace",
          Map.of());
    }
    if (!token.filter().equals(query.filter().digest())) {
      throw Errors.invalid("resume_token", "belongs to a stream with another filter");
    }
    if (token.positions().size() != partitions) {
      throw expired("the token is of another number of partitions");
    }
    return token.generation().equals(generation) ? token.positions() : unplaced(token);
  }

  /** Of another generation, so only what it says of the log is good here. */
  private static List<EventPosition> unplaced(ResumeToken token) {
    if (token.positions().stream().anyMatch(each -> each.logOffset() == EventPosition.NONE)) {
      throw expired(
          "the token is of generation %s and of a partition of which nothing was told"
              .formatted(token.generation()));
    }
    return token.positions().stream().map(EventPosition::unplaced).toList();
  }

  /** OUT_OF_RANGE: the stream cannot go on where it was; its client begins anew. */
  static StatusRuntimeException expired(String why) {
    return Errors.because(
        Code.OUT_OF_RANGE,
        "RESUME_EXPIRED",
        why + ": begin anew, without a resume_token",
        Map.of());
  }

  private static StatusRuntimeException unfollowed() {
    return Errors.unavailable("the events are not followed now", RETRY_AFTER);
  }

  private static StatusRuntimeException stops() {
    return Errors.unavailable("the service stops", RETRY_AFTER);
  }
}
