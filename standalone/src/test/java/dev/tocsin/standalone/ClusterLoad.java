package dev.tocsin.standalone;

import com.google.rpc.RetryInfo;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertBatch;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.Severity;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.ListIncidentsResponse;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Sends alerts and reads incidents through several edges, while parts of the cluster come and go,
 * and writes down whatever should not be.
 */
final class ClusterLoad implements AutoCloseable {
  /** Conditions, each an incident of its own. */
  static final int SERVICES = 60;

  private static final String SOURCE = "cluster";
  private static final int BATCH = 50;

  /**
   * Twice what a query-service takes at most, so that a busy machine does not look like a fault.
   */
  private static final Duration CALL_MAX = Duration.ofSeconds(10);

  private static final Duration PAUSE = Duration.ofMillis(25);

  final AtomicInteger fresh = new AtomicInteger();
  final AtomicInteger stale = new AtomicInteger();
  final AtomicInteger unavailable = new AtomicInteger();
  final AtomicLong accepted = new AtomicLong();
  final ConcurrentLinkedQueue<String> faults = new ConcurrentLinkedQueue<>();
  volatile long lastFreshNanos;
  volatile long lastReadNanos;

  private final List<ManagedChannel> edges;
  private final AtomicBoolean ended = new AtomicBoolean();
  private final List<Thread> threads = new ArrayList<>();

  ClusterLoad(List<ManagedChannel> edges) {
    this.edges = edges;
  }

  /** One alert of every service first, so that each incident is there from then on. */
  void start() {
    send(0, 0, SERVICES);
    threads.add(new Thread(this::sendOn, "load-send"));
    threads.add(new Thread(this::readOn, "load-read"));
    threads.forEach(Thread::start);
  }

  @Override
  public void close() throws InterruptedException {
    ended.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private void sendOn() {
    for (int round = 1; !ended.get(); round++) {
      send(round, SERVICES + (round - 1) * BATCH, BATCH);
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }

  /** Sends these alerts until each is accepted, under the same ids. */
  private void send(int round, int first, int count) {
    Map<String, AlertMessage> left = new HashMap<>();
    for (int i = first; i < first + count; i++) {
      left.put(
          "a" + i,
          AlertMessage.newBuilder()
              .setAlertId("a" + i)
              .setSource(SOURCE)
              .setTitle("slow")
              .setSeverity(Severity.SEVERITY_P2)
              .putLabels("service", "s" + i % SERVICES)
              .build());
    }
    for (int attempt = 0; !left.isEmpty(); attempt++) {
      ManagedChannel edge = edges.get((round + attempt) % edges.size());
      try {
        AlertIngestionGrpc.newBlockingStub(edge)
            .withDeadlineAfter(CALL_MAX)
            .submitAlerts(AlertBatch.newBuilder().addAllAlerts(left.values()).build())
            .getAcksList()
            .forEach(
                ack -> {
                  if (ack.getStatus() == AlertAck.Status.ACCEPTED
                      && left.remove(ack.getAlertId()) != null) {
                    accepted.incrementAndGet();
                  }
                });
      } catch (StatusRuntimeException e) {
        edge.resetConnectBackoff();
      }
      if (!left.isEmpty()) {
        LockSupport.parkNanos(PAUSE.toNanos());
      }
    }
  }

  private void readOn() {
    Map<String, Long> seen = new HashMap<>();
    for (int i = 0; !ended.get(); i++) {
      ManagedChannel edge = edges.get(i % edges.size());
      try {
        ListIncidentsResponse page = list(edge);
        check(page, seen);
        checkOne(edge, page.getIncidents(i % page.getIncidentsCount()), page.hasStaleness());
      } catch (StatusRuntimeException e) {
        refused(e);
        edge.resetConnectBackoff();
      } catch (RuntimeException e) {
        faults.add(e.toString());
      }
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }

  static ListIncidentsResponse list(ManagedChannel edge) {
    return IncidentServiceGrpc.newBlockingStub(edge)
        .withDeadlineAfter(CALL_MAX)
        .listIncidents(
            ListIncidentsRequest.newBuilder().setSource(SOURCE).setPageSize(1_000).build());
  }

  /** Never partial; and an answer that says nothing of staleness never goes back. */
  private void check(ListIncidentsResponse page, Map<String, Long> seen) {
    Set<String> ids = new HashSet<>();
    page.getIncidentsList().forEach(incident -> ids.add(incident.getId()));
    if (ids.size() != SERVICES || page.getIncidentsCount() != SERVICES) {
      faults.add("a list of %d, stale %s".formatted(page.getIncidentsCount(), page.hasStaleness()));
    }
    if (page.hasStaleness()) {
      stale.incrementAndGet();
    } else {
      fresh.incrementAndGet();
      lastFreshNanos = System.nanoTime();
      for (Incident incident : page.getIncidentsList()) {
        long before = seen.merge(incident.getId(), incident.getOccurrences(), Math::max);
        if (before > incident.getOccurrences()) {
          faults.add(
              "%s went from %d to %d"
                  .formatted(incident.getId(), before, incident.getOccurrences()));
        }
      }
    }
    lastReadNanos = System.nanoTime();
  }

  private void checkOne(ManagedChannel edge, Incident listed, boolean stale) {
    var got =
        IncidentServiceGrpc.newBlockingStub(edge)
            .withDeadlineAfter(CALL_MAX)
            .getIncident(GetIncidentRequest.newBuilder().setId(listed.getId()).build());
    boolean comparable = !stale && !got.hasStaleness();
    if (!got.getIncident().getId().equals(listed.getId())
        || (comparable && got.getIncident().getOccurrences() < listed.getOccurrences())) {
      faults.add("got " + got + " where the list had " + listed);
    }
  }

  private void refused(StatusRuntimeException e) {
    if (e.getStatus().getCode() != Status.Code.UNAVAILABLE) {
      faults.add(e.toString());
      return;
    }
    unavailable.incrementAndGet();
    // One that the edge itself is behind has it; one that a dying connection makes has none.
    boolean told =
        StatusProto.fromThrowable(e).getDetailsList().stream().anyMatch(d -> d.is(RetryInfo.class));
    boolean connection =
        e.getStatus()
            .getDescription()
            .matches("(?s)(io exception|Network closed|.*GOAWAY|Connection).*");
    if (!told && !connection) {
      faults.add("UNAVAILABLE without RetryInfo: " + e.getStatus().getDescription());
    }
  }
}
