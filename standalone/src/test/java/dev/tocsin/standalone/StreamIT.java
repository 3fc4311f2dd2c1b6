package dev.tocsin.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tocsin.broker.FreePorts;
import dev.tocsin.ingest.EdgeMain;
import dev.tocsin.processor.ProcessorMain;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.Severity;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentEventType;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import dev.tocsin.proto.incidents.UpdateIncidentRequest;
import dev.tocsin.query.QueryMain;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Live streams of the real program, and of its parts, which are killed under them. */
@Timeout(300)
class StreamIT {
  private static final StreamIncidentsRequest ALL = StreamIncidentsRequest.getDefaultInstance();
  private static final StreamIncidentsRequest URGENT =
      StreamIncidentsRequest.newBuilder()
          .addStates(IncidentState.INCIDENT_STATE_DETECTED)
          .addStates(IncidentState.INCIDENT_STATE_TRIAGED)
          .addMinSeverity(dev.tocsin.proto.incidents.Severity.SEVERITY_P2)
          .build();

  @TempDir Path folder;

  /** A client that keeps a view of the incidents, over any number of calls. */
  private static final class Watcher implements StreamObserver<IncidentEvent> {
    private final StreamIncidentsRequest filter;
    private final Map<String, Incident> view = new ConcurrentHashMap<>();
    private final Map<Integer, Long> sequences = new ConcurrentHashMap<>();
    private final Set<IncidentEventType> types = ConcurrentHashMap.newKeySet();
    private volatile String token = "";
    private volatile boolean complete;
    private volatile String fault = "";
    private volatile Status end;

    Watcher(StreamIncidentsRequest filter) {
      this.filter = filter;
    }

    void watch(Channel channel) {
      end = null;
      if (token.isEmpty()) {
        view.clear();
      }
      IncidentServiceGrpc.newStub(channel)
          .streamIncidents(filter.toBuilder().setResumeToken(token).build(), this);
    }

    @Override
    public void onNext(IncidentEvent event) {
      types.add(event.getEventType());
      switch (event.getEventType()) {
        case INCIDENT_EVENT_TYPE_SNAPSHOT -> {
          if (view.put(event.getIncidentId(), event.getIncident()) != null) {
            fault = "a second snapshot of " + event.getIncidentId();
          }
        }
        case INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE -> {
          fault = complete ? "it began anew" : fault;
          complete = true;
        }
        case INCIDENT_EVENT_TYPE_HEARTBEAT -> {}
        case INCIDENT_EVENT_TYPE_LEFT_FILTER, INCIDENT_EVENT_TYPE_REMOVED -> {
          ordered(event);
          if (view.remove(event.getIncidentId()) == null) {
            fault = event.getIncidentId() + " left and was not there";
          }
        }
        default -> {
          ordered(event);
          Incident told = event.getIncident();
          if (told.hasCreatedAt()) {
            view.put(told.getId(), told);
          } else if (view.computeIfPresent(told.getId(), (id, known) -> merged(known, told))
              == null) {
            fault = told.getId() + " was seen again and is not known";
          }
        }
      }
      if (!event.getResumeToken().isEmpty()) {
        token = event.getResumeToken();
      }
    }

    /** A repeat tells no more than what it changed, and what streams choose by. */
    private static Incident merged(Incident known, Incident repeat) {
      return known.toBuilder().mergeFrom(repeat).build();
    }

    /** Of one partition: none twice, and without a filter none missing. */
    private void ordered(IncidentEvent event) {
      int partition = event.getPartition();
      Long before = sequences.put(partition, event.getSequence());
      boolean all = filter.equals(ALL);
      if (before != null
          && (all ? event.getSequence() != before + 1 : event.getSequence() <= before)) {
        fault = "event %d of %d after %d".formatted(event.getSequence(), partition, before);
      }
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

  private static void send(Channel channel, int from, int to) {
    AlertIngestionGrpc.AlertIngestionBlockingStub alerts =
        AlertIngestionGrpc.newBlockingStub(channel);
    for (int i = from; i < to; i++) {
      AlertAck ack =
          alerts
              .withDeadlineAfter(30, TimeUnit.SECONDS)
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

  /** Of what is DETECTED a third is resolved, a third triaged, and the rest made out to be mild. */
  private static void command(Channel channel) {
    List<Incident> detected =
        incidents(channel)
            .listIncidents(
                ListIncidentsRequest.newBuilder()
                    .addStates(IncidentState.INCIDENT_STATE_DETECTED)
                    .build())
            .getIncidentsList();
    for (int i = 0; i < detected.size(); i++) {
      String id = detected.get(i).getId();
      UpdateIncidentRequest.Builder update = UpdateIncidentRequest.newBuilder().setId(id);
      switch (i % 3) {
        case 0 -> update.setState(IncidentState.INCIDENT_STATE_RESOLVED);
        case 1 -> update.setState(IncidentState.INCIDENT_STATE_TRIAGED);
        default -> update.setSeverity(dev.tocsin.proto.incidents.Severity.SEVERITY_P4);
      }
      assertThat(incidents(channel).updateIncident(update.build()).getIncident().getId())
          .isEqualTo(id);
    }
  }

  private static IncidentServiceGrpc.IncidentServiceBlockingStub incidents(Channel channel) {
    return IncidentServiceGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  /** What a list under the watcher's filter shows. */
  private static Map<String, Incident> list(Watcher watcher, Channel channel) {
    ListIncidentsRequest.Builder request =
        ListIncidentsRequest.newBuilder()
            .setPageSize(500)
            .addAllStates(watcher.filter.getStatesList());
    watcher.filter.getMinSeverityList().stream()
        .flatMapToInt(each -> IntStream.rangeClosed(1, each.getNumber()))
        .mapToObj(dev.tocsin.proto.incidents.Severity::forNumber)
        .forEach(request::addSeverities);
    Map<String, Incident> all = new TreeMap<>();
    incidents(channel)
        .listIncidents(request.build())
        .getIncidentsList()
        .forEach(each -> all.put(each.getId(), each));
    return all;
  }

  /** Waits until the watcher sees what a list shows; it comes again where it is told to. */
  private static void equal(Watcher watcher, Channel channel) {
    await()
        .atMost(Duration.ofSeconds(60))
        .ignoreException(StatusRuntimeException.class)
        .untilAsserted(
            () -> {
              if (watcher.end != null) {
                assertThat(watcher.end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
                watcher.watch(channel);
              }
              assertThat(watcher.fault).isEmpty();
              assertThat(watcher.complete).isTrue();
              assertThat(watcher.view).isEqualTo(list(watcher, channel));
            });
  }

  @Test
  void stream_resumedAfterAKillHasNoGapAndNoDouble() throws Exception {
    Path data = folder.resolve("data");
    Watcher first = new Watcher(ALL);
    Watcher later = new Watcher(ALL);
    try (var child = StandaloneChild.up(data, folder)) {
      send(child.channel(), 0, 60);
      first.watch(child.channel());
      send(child.channel(), 60, 200);
      equal(first, child.channel());
      send(child.channel(), 200, 230);
      child.kill();
      await().until(() -> first.end != null);
      assertThat(first.end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    }
    assertThat(
            PosixFilePermissions.toString(Files.getPosixFilePermissions(data.resolve("token-key"))))
        .isEqualTo("rw-------");
    try (var child = StandaloneChild.up(data, folder)) {
      send(child.channel(), 230, 300);
      first.watch(child.channel());
      later.watch(child.channel());
      send(child.channel(), 300, 340);
      equal(first, child.channel());
      equal(later, child.channel());
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
  void stream_goesOnAtAnotherQueryServiceWhileAlertsAndCommandsCome() throws Exception {
    List<String> shared =
        List.of(
            "kafka.bootstrap.servers=" + SharedBroker.bootstrap(),
            "log.prefix=streams-" + UUID.randomUUID());
    int state = FreePorts.choose(0);
    try (ClusterMember processor =
            member("processor", ProcessorMain.class, state, shared, processorLines(state));
        ClusterMember edge = member("edge", EdgeMain.class, FreePorts.choose(0), shared, "edge");
        ClusterMember one = query("one", shared, state);
        ClusterMember other = query("other", shared, state)) {
      List<ClusterMember> all = List.of(processor, edge, one, other);
      for (ClusterMember each : all) {
        each.start();
      }
      all.forEach(ClusterMember::awaitServing);
      List<Watcher> watchers = List.of(new Watcher(ALL), new Watcher(URGENT));
      send(edge.channel(), 0, 50);
      watchers.forEach(each -> each.watch(one.channel()));
      watchers.forEach(each -> equal(each, one.channel()));
      send(edge.channel(), 50, 70);
      command(other.channel());

      one.kill();
      send(edge.channel(), 70, 110);
      command(other.channel());
      watchers.forEach(each -> equal(each, other.channel()));

      other.kill();
      send(edge.channel(), 110, 130);
      one.start();
      one.awaitServing();
      command(one.channel());
      watchers.forEach(each -> equal(each, one.channel()));
      assertThat(watchers.get(1).types).contains(IncidentEventType.INCIDENT_EVENT_TYPE_LEFT_FILTER);
      assertThat(watchers.get(0).view.size()).isGreaterThan(watchers.get(1).view.size());
    }
  }

  private ClusterMember query(String name, List<String> shared, int state) throws IOException {
    return member(
        name,
        QueryMain.class,
        FreePorts.choose(0),
        shared,
        "query",
        "query.processors=127.0.0.1:" + state,
        "query.token-secret=the same for both of them");
  }

  private String[] processorLines(int port) {
    return new String[] {
      "processor",
      "log.partitions=4",
      "log.replicas=1",
      "processor.address=127.0.0.1:" + port,
      "processor.standbys=0",
      "processor.rocksdb-mib-max=32",
      "processor.state-folder=" + folder.resolve("state")
    };
  }

  /**
   * One part as a process.
   *
   * @param more the part's name in the settings, then settings
   */
  private ClusterMember member(
      String name, Class<?> main, int port, List<String> shared, String... more)
      throws IOException {
    List<String> lines = new ArrayList<>(shared);
    lines.add(more[0] + ".port=" + port);
    lines.add(more[0].equals("query") ? "ops.port=0" : more[0] + ".ops-port=0");
    lines.addAll(Arrays.asList(more).subList(1, more.length));
    return new ClusterMember(folder, name, main, port, lines);
  }

  @Test
  void token_thatIsGarbageIsRefused() throws Exception {
    try (var child = StandaloneChild.up(folder.resolve("data"), folder)) {
      await()
          .atMost(Duration.ofSeconds(30)) // it may be UNAVAILABLE at first
          .untilAsserted(
              () -> assertThat(refusal(child, "garbage")).isEqualTo(Status.Code.INVALID_ARGUMENT));
    }
  }

  private static Status.Code refusal(StandaloneChild child, String token) {
    var events =
        child
            .incidents()
            .streamIncidents(StreamIncidentsRequest.newBuilder().setResumeToken(token).build());
    try {
      events.next();
      throw new AssertionError("it was taken");
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    }
  }
}
