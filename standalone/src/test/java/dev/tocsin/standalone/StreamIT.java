package dev.tocsin.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.Severity;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.ListIncidentsResponse;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Live streams of the real program, which is killed under them. */
@Timeout(300)
class StreamIT {
  @TempDir Path folder;

  /** A client that keeps a view of the incidents, over any number of calls. */
  private static final class Watcher implements StreamObserver<IncidentEvent> {
    private final Map<String, Incident> view = new ConcurrentHashMap<>();
    private final Map<Integer, Long> sequences = new ConcurrentHashMap<>();
    private volatile String token = "";
    private volatile boolean complete;
    private volatile String fault = "";
    private volatile Status end;

    void watch(StandaloneChild child) {
      end = null;
      IncidentServiceGrpc.newStub(child.channel())
          .streamIncidents(StreamIncidentsRequest.newBuilder().setResumeToken(token).build(), this);
    }

    @Override
    public void onNext(IncidentEvent event) {
      switch (event.getEventType()) {
        case INCIDENT_EVENT_TYPE_SNAPSHOT -> {
          if (view.put(event.getIncidentId(), event.getIncident()) != null) {
            fault = "a second snapshot of " + event.getIncidentId();
          }
        }
        case INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE -> complete = true;
        case INCIDENT_EVENT_TYPE_HEARTBEAT -> {}
        default -> change(event);
      }
      if (!event.getResumeToken().isEmpty()) {
        token = event.getResumeToken();
      }
    }

    private void change(IncidentEvent event) {
      int partition = event.getIncident().getOpenedAtPosition().getPartition();
      Long before = sequences.put(partition, event.getSequence());
      if (before != null && event.getSequence() != before + 1) {
        fault = "event %d of %d after %d".formatted(event.getSequence(), partition, before);
      }
      view.put(event.getIncidentId(), event.getIncident());
    }

    @Override
    public void onError(Throwable t) {
      end = Status.fromThrowable(t);
    }

    @Override
    public void onCompleted() {
      end = Status.OK;
    }
  }

  private static void send(StandaloneChild child, int from, int to) {
    for (int i = from; i < to; i++) {
      AlertAck ack =
          child
              .alerts()
              .submitAlert(
                  AlertMessage.newBuilder()
                      .setSource("StreamIT")
                      .setTitle("condition " + i % 40)
                      .putLabels("service", "service " + i % 20)
                      .setSeverity(Severity.forNumber(1 + i % 5))
                      .build());
      assertThat(ack.getStatus()).isEqualTo(AlertAck.Status.ACCEPTED);
    }
  }

  private static Map<String, Incident> list(StandaloneChild child) {
    Map<String, Incident> all = new TreeMap<>();
    ListIncidentsResponse page =
        child.incidents().listIncidents(ListIncidentsRequest.newBuilder().setPageSize(500).build());
    page.getIncidentsList().forEach(each -> all.put(each.getId(), each));
    return all;
  }

  private static void equal(Watcher watcher, StandaloneChild child) {
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () -> {
              assertThat(watcher.fault).isEmpty();
              assertThat(watcher.view).isEqualTo(list(child));
            });
  }

  @Test
  void stream_resumedAfterAKillHasNoGapAndNoDouble() throws Exception {
    Path data = folder.resolve("data");
    Watcher first = new Watcher();
    Watcher later = new Watcher();
    try (var child = StandaloneChild.up(data, folder)) {
      send(child, 0, 60);
      first.watch(child);
      send(child, 60, 200);
      await().until(() -> first.complete);
      equal(first, child);
      send(child, 200, 230);
      child.kill();
      await().until(() -> first.end != null);
      assertThat(first.end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    }
    assertThat(
            PosixFilePermissions.toString(Files.getPosixFilePermissions(data.resolve("token-key"))))
        .isEqualTo("rw-------");
    try (var child = StandaloneChild.up(data, folder)) {
      send(child, 230, 300);
      first.complete = false;
      first.watch(child);
      later.watch(child);
      send(child, 300, 340);
      equal(first, child);
      equal(later, child);
      assertThat(first.complete).as("resumed, not begun anew").isFalse();
      assertThat(first.view).isNotEmpty();

      long begunNanos = System.nanoTime();
      child.terminate();
      assertThat(child.exitStatus()).isZero();
      assertThat(Duration.ofNanos(System.nanoTime() - begunNanos))
          .as("streams do not hold it up")
          .isLessThan(Duration.ofSeconds(30));
      assertThat(first.end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    }
  }

  @Test
  void token_thatIsGarbageIsRefused() throws Exception {
    try (var child = StandaloneChild.up(folder.resolve("data"), folder)) {
      var events =
          child
              .incidents()
              .streamIncidents(
                  StreamIncidentsRequest.newBuilder().setResumeToken("garbage").build());
      try {
        events.next();
      } catch (StatusRuntimeException e) {
        assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        return;
      }
      throw new AssertionError("it was taken");
    }
  }
}
