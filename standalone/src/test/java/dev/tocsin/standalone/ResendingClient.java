package dev.tocsin.standalone;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.Severity;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;

/**
 * Sends alerts by one stream after the other, each alert under its id until it is acknowledged,
 * with a bounded number of them open.
 */
final class ResendingClient implements AutoCloseable {
  private static final String SOURCE = "resending";
  private static final int SERVICES = 20;
  private static final int OPEN_MAX = 500;
  private static final Duration PAUSE = Duration.ofMillis(20);
  private static final Duration WAIT_MAX = Duration.ofMinutes(2);

  private final ManagedChannel edge;
  private final String name;
  private final Map<String, AlertMessage> open = new ConcurrentHashMap<>();
  private final Map<String, String> acknowledged = new ConcurrentHashMap<>();
  private final AtomicInteger broken = new AtomicInteger();
  private final AtomicInteger resent = new AtomicInteger();
  private final AtomicBoolean ending = new AtomicBoolean();
  private final Thread thread = new Thread(this::run, "resending");
  private int next;

  ResendingClient(ManagedChannel edge, String name) {
    this.edge = edge;
    this.name = name;
  }

  void start() {
    thread.start();
  }

  /** Until so many more are acknowledged. */
  void awaitMore(int count) {
    int goal = acknowledged.size() + count;
    Awaitility.await()
        .atMost(WAIT_MAX)
        .pollInterval(Duration.ofMillis(5))
        .until(() -> acknowledged.size() >= goal);
  }

  /** The service of each alert that was acknowledged, by its id. */
  Map<String, String> acknowledged() {
    return acknowledged;
  }

  /** Streams that ended before they should. */
  int broken() {
    return broken.get();
  }

  /** Alerts that were sent another time. */
  int resent() {
    return resent.get();
  }

  /** Ends once all that was sent is acknowledged. */
  @Override
  public void close() throws InterruptedException {
    ending.set(true);
    thread.join(WAIT_MAX.toMillis());
    if (thread.isAlive()) {
      throw new AssertionError(open.size() + " alerts are not acknowledged");
    }
  }

  /** All incidents that come of such clients' alerts. */
  static List<Incident> list(ManagedChannel edge) {
    return IncidentServiceGrpc.newBlockingStub(edge)
        .withDeadlineAfter(Duration.ofSeconds(10))
        .listIncidents(
            ListIncidentsRequest.newBuilder().setSource(SOURCE).setPageSize(1_000).build())
        .getIncidentsList();
  }

  private void run() {
    while (!ending.get() || !open.isEmpty()) {
      Stream stream = new Stream();
      AlertIngestionGrpc.newStub(edge).withWaitForReady().streamAlerts(stream);
      stream.send();
    }
  }

  /** One call, until it breaks or an alert was refused, or all is done. */
  private final class Stream implements ClientResponseObserver<AlertMessage, AlertAck> {
    private volatile ClientCallStreamObserver<AlertMessage> call;
    private volatile boolean over;
    private volatile boolean again;

    @Override
    public void beforeStart(ClientCallStreamObserver<AlertMessage> started) {
      call = started;
    }

    void send() {
      for (AlertMessage alert : List.copyOf(open.values())) {
        resent.incrementAndGet();
        call.onNext(alert);
      }
      while (!over && !again && !(ending.get() && open.isEmpty())) {
        if (!ending.get() && open.size() < OPEN_MAX && call.isReady()) {
          AlertMessage alert = alert();
          open.put(alert.getAlertId(), alert);
          call.onNext(alert);
        } else {
          LockSupport.parkNanos(PAUSE.toNanos() / 20);
        }
      }
      if (!over) {
        call.cancel("another one follows", null);
      }
      LockSupport.parkNanos(PAUSE.toNanos());
    }

    @Override
    public void onNext(AlertAck ack) {
      if (ack.getStatus() == AlertAck.Status.ACCEPTED) {
        AlertMessage alert = open.get(ack.getAlertId());
        if (alert != null) { // else acknowledged before, by another stream
          acknowledged.put(ack.getAlertId(), alert.getLabelsOrThrow("service"));
          open.remove(ack.getAlertId());
        }
      } else {
        again = true;
      }
    }

    @Override
    public void onError(Throwable t) {
      if (!over && !again && !(ending.get() && open.isEmpty())) {
        broken.incrementAndGet();
      }
      over = true;
    }

    @Override
    public void onCompleted() {
      over = true;
    }
  }

  private AlertMessage alert() {
    int i = next++;
    return AlertMessage.newBuilder()
        .setAlertId(name + "-" + i)
        .setSource(SOURCE)
        .setTitle("slow")
        .setSeverity(Severity.SEVERITY_P0)
        .putLabels("service", "s" + i % SERVICES)
        .build();
  }
}
