package dev.tocsin.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentEventType;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;

/**
 * Follows some of the incidents that {@link ClusterCommands} opens, goes on with its last token at
 * the next edge whenever its stream ends, and keeps what it is told.
 */
final class ClusterSubscriber implements AutoCloseable {
  private static final List<IncidentState> STATES =
      List.of(IncidentState.INCIDENT_STATE_DETECTED, IncidentState.INCIDENT_STATE_TRIAGED);
  private static final Duration PAUSE = Duration.ofMillis(50);

  final AtomicInteger events = new AtomicInteger();
  final AtomicInteger resumed = new AtomicInteger();
  final ConcurrentLinkedQueue<String> faults = new ConcurrentLinkedQueue<>();

  private final List<ManagedChannel> edges;
  private final Context.CancellableContext context = Context.ROOT.withCancellation();
  private final Thread thread = new Thread(context.wrap((Runnable) this::followOn), "subscriber");
  private final Map<String, Incident> view = new ConcurrentHashMap<>();
  private final Map<Integer, Long> sequences = new HashMap<>();
  private String token = "";

  ClusterSubscriber(List<ManagedChannel> edges) {
    this.edges = edges;
  }

  void start() {
    thread.start();
  }

  @Override
  public void close() throws InterruptedException {
    context.cancel(null);
    thread.join();
  }

  /** What it was told is what there is. */
  void verify(ManagedChannel edge) {
    ListIncidentsRequest filter =
        ListIncidentsRequest.newBuilder()
            .setSource(ClusterCommands.SOURCE)
            .addAllStates(STATES)
            .addSeverities(Severity.SEVERITY_P0)
            .addSeverities(Severity.SEVERITY_P1)
            .addSeverities(Severity.SEVERITY_P2)
            .build();
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .ignoreException(StatusRuntimeException.class)
        .untilAsserted(
            () -> {
              assertThat(faults).isEmpty();
              assertThat(view).isEqualTo(ClusterCommands.list(edge, filter));
            });
    assertThat(view).isNotEmpty();
  }

  private void followOn() {
    for (int i = 0; !context.isCancelled(); i++) {
      ManagedChannel edge = edges.get(i % edges.size());
      try {
        follow(edge);
      } catch (StatusRuntimeException e) {
        ended(e.getStatus());
        edge.resetConnectBackoff();
      }
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }

  private void follow(ManagedChannel edge) {
    if (token.isEmpty()) {
      view.clear(); // a snapshot is all or nothing
      sequences.clear();
    }
    boolean resumes = !token.isEmpty();
    Iterator<IncidentEvent> told =
        IncidentServiceGrpc.newBlockingStub(edge)
            .streamIncidents(
                StreamIncidentsRequest.newBuilder()
                    .setSource(ClusterCommands.SOURCE)
                    .addAllStates(STATES)
                    .addMinSeverity(Severity.SEVERITY_P2)
                    .setResumeToken(token)
                    .build());
    while (told.hasNext()) {
      take(told.next());
      if (resumes) {
        resumed.incrementAndGet();
        resumes = false;
      }
    }
  }

  private void ended(Status status) {
    // A server that stops without having been told of the end resets the stream: CANCELLED.
    boolean reset =
        status.getCode() == Status.Code.CANCELLED
            && String.valueOf(status.getDescription()).startsWith("RST_STREAM");
    if (!context.isCancelled() && status.getCode() != Status.Code.UNAVAILABLE && !reset) {
      faults.add("a stream ended with " + status);
    }
  }

  private void take(IncidentEvent event) {
    switch (event.getEventType()) {
      case INCIDENT_EVENT_TYPE_SNAPSHOT -> {
        if (view.put(event.getIncidentId(), event.getIncident()) != null) {
          faults.add("a second snapshot of " + event.getIncidentId());
        }
      }
      case INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE, INCIDENT_EVENT_TYPE_HEARTBEAT -> {}
      default -> change(event);
    }
    if (!event.getResumeToken().isEmpty()) {
      token = event.getResumeToken();
    }
  }

  /** Each command is one revision, so one that was left out, or came twice, shows. */
  private void change(IncidentEvent event) {
    events.incrementAndGet();
    Incident after = event.getIncident();
    int partition = event.getPartition();
    Long last = sequences.put(partition, event.getSequence());
    if (last != null && event.getSequence() <= last) {
      faults.add("event %d of %d after %d".formatted(event.getSequence(), partition, last));
    }
    boolean left = event.getEventType() == IncidentEventType.INCIDENT_EVENT_TYPE_LEFT_FILTER;
    Incident before =
        left ? view.remove(event.getIncidentId()) : view.put(event.getIncidentId(), after);
    if (before == null ? left : after.getRevision() != before.getRevision() + 1) {
      faults.add("told of %s after %s".formatted(event, before));
    }
  }
}
