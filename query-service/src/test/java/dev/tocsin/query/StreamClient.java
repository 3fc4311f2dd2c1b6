package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.RetryInfo;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentEventType;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A client of a stream: keeps a view of the incidents, and takes only as much as it is let. */
final class StreamClient extends ServerCallStreamObserver<IncidentEvent> {
  final Map<String, Incident> view = new TreeMap<>();
  final List<IncidentEventType> types = new ArrayList<>();

  /** Of the changes that it was told, as they came. */
  final List<Long> sequences = new ArrayList<>();

  private final Map<Integer, Long> last = new TreeMap<>();
  String token = "";
  Status end;
  boolean retry;
  long room;
  private Runnable onReady = () -> {};
  private Runnable onCancel = () -> {};
  private boolean cancelled;

  /** Calls again; without a token its view begins anew. */
  void connect() {
    end = null;
    cancelled = false;
    room = 0;
    if (token.isEmpty()) {
      view.clear();
      last.clear();
    }
  }

  void take(int more) {
    room += more;
    onReady.run();
  }

  void leave() {
    cancelled = true;
    end = Status.CANCELLED;
    onCancel.run();
  }

  @Override
  public void onNext(IncidentEvent event) {
    assertThat(room).as("sent beyond what is taken").isPositive();
    assertThat(end).as("sent after its end").isNull();
    room--;
    types.add(event.getEventType());
    if (!event.getResumeToken().isEmpty()) {
      token = event.getResumeToken();
    }
    switch (event.getEventType()) {
      case INCIDENT_EVENT_TYPE_SNAPSHOT -> {
        assertThat(view.put(event.getIncidentId(), event.getIncident())).as("twice").isNull();
        assertThat(event.getResumeToken()).isEmpty();
      }
      case INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE -> assertThat(event.getResumeToken()).isNotEmpty();
      case INCIDENT_EVENT_TYPE_HEARTBEAT ->
          assertThat(event.getResumeToken().isEmpty())
              .as("within a snapshot")
              .isEqualTo(token.isEmpty());
      case INCIDENT_EVENT_TYPE_LEFT_FILTER, INCIDENT_EVENT_TYPE_REMOVED -> {
        ordered(event);
        assertThat(view.remove(event.getIncidentId())).as("it was there").isNotNull();
      }
      default -> {
        ordered(event);
        view.put(event.getIncidentId(), event.getIncident());
      }
    }
  }

  private void ordered(IncidentEvent event) {
    int partition = event.getPartition();
    assertThat(event.hasLogOffset() && event.hasPartition()).as("what caused it").isTrue();
    assertThat(event.getIncident().getOpenedAtPosition().getPartition()).isEqualTo(partition);
    sequences.add(event.getSequence());
    Long before = last.put(partition, event.getSequence());
    assertThat(before == null || before < event.getSequence()).as("in order, and once").isTrue();
  }

  @Override
  public void onError(Throwable t) {
    end = Status.fromThrowable(t);
    retry =
        StatusProto.fromThrowable(t).getDetailsList().stream().anyMatch(e -> e.is(RetryInfo.class));
  }

  @Override
  public void onCompleted() {
    throw new AssertionError("a stream never completes");
  }

  @Override
  public boolean isReady() {
    return room > 0 && !cancelled;
  }

  @Override
  public boolean isCancelled() {
    return cancelled;
  }

  @Override
  public void setOnCancelHandler(Runnable handler) {
    onCancel = handler;
  }

  @Override
  public void setOnReadyHandler(Runnable handler) {
    onReady = handler;
  }

  @Override
  public void setCompression(String compression) {}

  @Override
  public void disableAutoInboundFlowControl() {}

  @Override
  public void request(int count) {}

  @Override
  public void setMessageCompression(boolean enable) {}
}
