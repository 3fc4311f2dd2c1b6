package dev.tocsin.benchmarks;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.Severity;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.GetIncidentResponse;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentAlert;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentEventType;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.IncidentServiceGrpc.IncidentServiceStub;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Alerts that are followed: each is a new condition of one of a few incidents. From when it was due
 * to be sent it is timed until a read that waits for its position has its incident with it, and
 * until a subscriber has the event that tells of it.
 */
final class Probes implements AutoCloseable {
  private static final int PER_SECOND = 50;
  private static final int GROUPS = 25;
  static final Duration ANSWER_MAX = Duration.ofSeconds(60);
  private static final String SOURCE = "probe";

  /**
   * What the last run found.
   *
   * @param ackedMicros until the edge had acknowledged it
   * @param readableMicros until it could be read
   * @param toldMicros until the subscriber had the event
   */
  record Outcome(Histogram ackedMicros, Histogram readableMicros, Histogram toldMicros) {}

  private final ManagedChannel edge;
  private final IncidentServiceStub incidents;
  private final StreamObserver<AlertMessage> alerts;
  private final Map<String, String> incidentOfGroup = new ConcurrentHashMap<>();
  private final Map<String, Long> unread = new ConcurrentHashMap<>();
  private final Map<String, Long> untold = new ConcurrentHashMap<>();
  private final AtomicReference<String> failure = new AtomicReference<>();
  private volatile Histogram acked = new ConcurrentHistogram(3);
  private volatile Histogram readable = new ConcurrentHistogram(3);
  private volatile Histogram told = new ConcurrentHistogram(3);
  private volatile boolean ending;
  private long number;

  Probes(ManagedChannel edge, ManagedChannel query) throws IOException {
    this.edge = edge;
    this.incidents = IncidentServiceGrpc.newStub(query);
    this.alerts = AlertIngestionGrpc.newStub(edge).streamAlerts(new Answers<>(this::acked));
    subscribe();
    for (int group = 0; group < GROUPS; group++) {
      send(System.nanoTime());
    }
    awaitAnswers();
  }

  /** Sends for a time, and waits for all that is to come of it. */
  void run(Duration time) throws IOException {
    acked = new ConcurrentHistogram(3);
    readable = new ConcurrentHistogram(3);
    told = new ConcurrentHistogram(3);
    long fromNs = System.nanoTime();
    long last = time.toSeconds() * PER_SECOND;
    for (long i = 0; i < last; i++) {
      long dueNs = fromNs + i * TimeUnit.SECONDS.toNanos(1) / PER_SECOND;
      for (long earlyNs = dueNs - System.nanoTime(); earlyNs > 0; ) {
        LockSupport.parkNanos(earlyNs);
        earlyNs = dueNs - System.nanoTime();
      }
      send(dueNs);
    }
    awaitAnswers();
  }

  Outcome outcome() {
    return new Outcome(acked, readable, told);
  }

  /**
   * A query-service serves before it has come to the end of the events, and refuses to stream them
   * until then.
   */
  private void subscribe() throws IOException {
    long untilNs = System.nanoTime() + ANSWER_MAX.toNanos();
    Subscription last;
    do {
      if (System.nanoTime() - untilNs > 0) {
        throw new IOException("nobody streams incidents");
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
      last = new Subscription();
      incidents.streamIncidents(
          StreamIncidentsRequest.newBuilder().setSource(SOURCE).build(), last);
    } while (!last.isComplete());
  }

  private void send(long dueNs) {
    String group = "probe-" + number % GROUPS;
    String id = group + "/" + number++;
    unread.put(id, dueNs);
    untold.put(id, dueNs);
    alerts.onNext(
        AlertMessage.newBuilder()
            .setAlertId(id)
            .setSource(SOURCE)
            .setTitle("Probe " + id)
            .setSeverity(Severity.SEVERITY_P3)
            .putLabels("service", group)
            .build());
  }

  private void acked(AlertAck ack) {
    if (!EdgeRequests.refusal(ack).isEmpty()) {
      fail(EdgeRequests.refusal(ack));
      return;
    }
    String id = ack.getAlertId();
    String incident = incidentOfGroup.get(group(id));
    if (incident == null) {
      unread.remove(id); // the group's first, whose incident nobody knows yet
      return;
    }
    acked.recordValue((System.nanoTime() - unread.get(id)) / 1_000);
    GetIncidentRequest read =
        GetIncidentRequest.newBuilder()
            .setId(incident)
            .setMinPosition(
                Position.newBuilder()
                    .setPartition(ack.getPosition().getPartition())
                    .setOffset(ack.getPosition().getOffset())
                    .setIndex(ack.getPosition().getIndex()))
            .build();
    incidents.getIncident(read, new Answers<>(answer -> read(id, answer)));
  }

  private void read(String id, GetIncidentResponse answer) {
    if (answer.getIncident().getAlertsList().stream().noneMatch(one -> isOf(one, id))) {
      fail("a read that waited for " + id + " does not have it");
    }
    readable.recordValue((System.nanoTime() - unread.remove(id)) / 1_000);
  }

  private void told(IncidentEvent event) {
    Incident incident = event.getIncident();
    if (!incident.hasCreatedAt()) {
      return; // a sign, or a repeat, which tells of nothing new
    }
    incidentOfGroup.put(incident.getLabelsOrThrow("service"), incident.getId());
    for (IncidentAlert alert : incident.getAlertsList()) {
      Long dueNs = untold.remove(alert.getAlertId());
      if (dueNs != null) {
        told.recordValue((System.nanoTime() - dueNs) / 1_000);
      }
    }
  }

  private static boolean isOf(IncidentAlert alert, String id) {
    return alert.getAlertId().equals(id);
  }

  private static String group(String id) {
    return id.substring(0, id.indexOf('/'));
  }

  private void awaitAnswers() throws IOException {
    long untilNs = System.nanoTime() + ANSWER_MAX.toNanos();
    while (!unread.isEmpty() || !untold.isEmpty()) {
      if (failure.get() != null || System.nanoTime() - untilNs > 0) {
        throw new IOException(
            "probes without an answer: %d reads, %d events; %s"
                .formatted(unread.size(), untold.size(), failure.get()));
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
    }
  }

  private void fail(String why) {
    if (!ending) {
      failure.compareAndSet(null, why);
    }
  }

  @Override
  public void close() {
    ending = true;
    edge.shutdownNow();
  }

  /** The stream that tells of the probes, once it has said that nothing was before it. */
  private final class Subscription extends Answers<IncidentEvent> {
    private final CompletableFuture<Boolean> complete = new CompletableFuture<>();

    Subscription() {
      super(Probes.this::told);
    }

    boolean isComplete() throws IOException {
      try {
        return complete.get(ANSWER_MAX.toSeconds(), TimeUnit.SECONDS);
      } catch (InterruptedException | ExecutionException | TimeoutException e) {
        throw new IOException("the stream of incidents does not begin", e);
      }
    }

    @Override
    public void onNext(IncidentEvent event) {
      if (event.getEventType() == IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE) {
        complete.complete(true);
      }
      super.onNext(event);
    }

    @Override
    public void onError(Throwable t) {
      boolean early = complete.complete(false);
      if (!early || Status.fromThrowable(t).getCode() != Status.Code.UNAVAILABLE) {
        super.onError(t);
      }
    }
  }

  /** Answers of a call, of which each is expected. */
  private class Answers<T> implements StreamObserver<T> {
    private final Consumer<T> answer;

    Answers(Consumer<T> answer) {
      this.answer = answer;
    }

    @Override
    public void onNext(T value) {
      answer.accept(value);
    }

    @Override
    public void onError(Throwable t) {
      fail(t.toString());
    }

    @Override
    public void onCompleted() {
      // the call is over; a stream that ends early leaves probes without an answer
    }
  }
}
