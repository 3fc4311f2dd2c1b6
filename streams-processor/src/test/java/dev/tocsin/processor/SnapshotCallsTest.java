package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Fold;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.state.IncidentStateGrpc;
import dev.tocsin.proto.state.SnapshotIncidentsRequest;
import dev.tocsin.proto.state.SnapshotIncidentsResponse;
import dev.tocsin.runtime.GrpcServer;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.RulesActivated;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** SnapshotIncidents over a real connection, before one partition on a real store. */
class SnapshotCallsTest {
  private static final int INCIDENTS = 300;
  private static final int OTHERS = 5;

  /** Of one incident: in all far more than what a connection takes before its client reads. */
  private static final int DESCRIPTION = 20_000;

  private final DiskStore disk = new DiskStore();
  private final ScheduledThreadPoolExecutor threads = new ScheduledThreadPoolExecutor(2);
  private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
  private PartitionViews views;
  private PartitionView view;
  private Fold fold;
  private long offset;
  private long events;
  private boolean gone;
  private GrpcServer server;
  private ManagedChannel channel;

  /** A client that takes nothing unless told to. */
  private static final class Reader
      implements ClientResponseObserver<SnapshotIncidentsRequest, SnapshotIncidentsResponse> {
    final List<SnapshotIncidentsResponse> taken = new CopyOnWriteArrayList<>();
    final CompletableFuture<Status> end = new CompletableFuture<>();
    volatile Throwable error;
    ClientCallStreamObserver<SnapshotIncidentsRequest> call;

    @Override
    public void beforeStart(ClientCallStreamObserver<SnapshotIncidentsRequest> call) {
      this.call = call;
      call.disableAutoRequestWithInitial(1);
    }

    @Override
    public void onNext(SnapshotIncidentsResponse part) {
      taken.add(part);
    }

    @Override
    public void onError(Throwable t) {
      error = t;
      end.complete(Status.fromThrowable(t));
    }

    @Override
    public void onCompleted() {
      end.complete(Status.OK);
    }

    List<Incident> incidents() {
      return taken.stream().flatMap(part -> part.getIncidentsList().stream()).toList();
    }

    Status.Code code() {
      return end.orTimeout(30, java.util.concurrent.TimeUnit.SECONDS).join().getCode();
    }
  }

  @BeforeEach
  void open() {
    PartitionStore store = new PartitionStore(disk.bytes(), () -> 1 << 20);
    fold = new Fold(store, event -> events++);
    fold.apply(LogEntries.of(new RulesActivated(DefaultRules.read())), offset++, World.START_MS);
    for (int i = 0; i < INCIDENTS; i++) {
      Alert alert = TestLog.alert("a" + i, "service " + i, "slow");
      alert.setDescription("x".repeat(DESCRIPTION));
      apply(alert);
    }
    for (int i = 0; i < OTHERS; i++) {
      Alert alert = TestLog.alert("o" + i, "other " + i, "bad");
      alert.setSeverity(dev.tocsin.schemas.Severity.P0);
      alert.setSource("other");
      apply(alert);
    }
    store.flush();
    Alert elsewhere = TestLog.alert("e", "elsewhere", "slow");
    elsewhere.setWorkspace("elsewhere");
    apply(elsewhere);
    apply(TestLog.alert("o0", "other 0", "bad", AlertStatus.ENDED));
    long end = offset;
    views =
        new PartitionViews(
            partition -> CompletableFuture.completedStage(end), timer, Runnable::run, 2);
    view = views.open(0, store);
  }

  private void apply(Alert alert) {
    fold.apply(LogEntries.of(new Alerts(1, List.of(alert))), offset++, World.START_MS);
  }

  @AfterEach
  void close() throws Exception {
    if (channel != null) {
      channel.shutdownNow();
      server.close();
    }
    threads.shutdownNow();
    timer.shutdownNow();
    if (!gone) {
      disk.close();
    }
  }

  private IncidentStateGrpc.IncidentStateStub serve(int placesMax, Duration openMax)
      throws Exception {
    StateService service =
        new StateService(
            views,
            new OwnerFeed(1, "log", List::of, timer),
            new PositionWait(partition -> CompletableFuture.completedStage(offset), timer),
            new Standbys( // none: a snapshot is the owner's
                partition -> disk.bytes(),
                partition -> CompletableFuture.completedStage(offset),
                partition -> CompletableFuture.completedStage(offset),
                Runnable::run,
                new StateCodecs(),
                Clock.systemUTC()),
            new SnapshotCalls(placesMax, openMax, threads, timer),
            new EntryReader("none", () -> null),
            Codec.of(LogEntry.class));
    Settings settings = Settings.of(Map.of("processor.port", "0"));
    server =
        new GrpcServer(
                GrpcServer.Config.read(settings, "processor", 0),
                new SimpleMeterRegistry(),
                new Health())
            .serve(service)
            .start();
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    return IncidentStateGrpc.newStub(channel);
  }

  private static SnapshotIncidentsRequest.Builder all() {
    return SnapshotIncidentsRequest.newBuilder().setWorkspace("default");
  }

  private static Reader read(
      IncidentStateGrpc.IncidentStateStub state, SnapshotIncidentsRequest request, int parts) {
    Reader reader = new Reader();
    state.snapshotIncidents(request, reader);
    if (parts > 0) { // beside the first, which is asked for already
      reader.call.request(parts);
    }
    return reader;
  }

  private long openIterators() {
    return disk.driver.metrics().values().stream()
        .filter(metric -> metric.metricName().name().equals("num-open-iterators"))
        .mapToLong(metric -> ((Number) metric.metricValue()).longValue())
        .sum();
  }

  @Test
  void snapshot_isWholeInBoundedPartsAndSaysWhatItContains() throws Exception {
    Reader reader = read(serve(1, Duration.ofSeconds(60)), all().build(), Integer.MAX_VALUE - 1);
    assertThat(reader.code()).isEqualTo(Status.Code.OK);
    assertThat(reader.incidents().stream().map(Incident::getId))
        .hasSize(INCIDENTS + OTHERS)
        .doesNotHaveDuplicates();
    assertThat(reader.taken)
        .hasSizeGreaterThan(10)
        .allSatisfy(
            part -> {
              assertThat(part.getAppliedOffset()).isEqualTo(offset);
              assertThat(part.getSequence()).isEqualTo(events);
              assertThat(part.getSerializedSize())
                  .isLessThan(SnapshotCall.CHUNK_BYTES_MAX + DESCRIPTION + 2_000);
            });
    assertThat(reader.taken.get(0).getIncidentsCount()).isZero();
    assertThat(openIterators()).isZero();
  }

  @Test
  void snapshot_hasOnlyWhatMatches() throws Exception {
    var state = serve(5, Duration.ofSeconds(60));
    assertThat(matches(state, all().setMinSeverity(Severity.SEVERITY_P1))).isEqualTo(OTHERS);
    assertThat(matches(state, all().setMinSeverity(Severity.SEVERITY_P2)))
        .isEqualTo(INCIDENTS + OTHERS);
    assertThat(matches(state, all().setSource("other"))).isEqualTo(OTHERS);
    assertThat(matches(state, all().setSource("nobody"))).isZero();
    assertThat(matches(state, all().setWorkspace("elsewhere"))).isEqualTo(1);
    assertThat(matches(state, all().addStates(IncidentState.INCIDENT_STATE_RESOLVED))).isEqualTo(1);
    assertThat(
            matches(
                state,
                all()
                    .setSource("other")
                    .addStates(IncidentState.INCIDENT_STATE_RESOLVED)
                    .addStates(IncidentState.INCIDENT_STATE_DETECTED)))
        .isEqualTo(OTHERS);
  }

  private static int matches(
      IncidentStateGrpc.IncidentStateStub state, SnapshotIncidentsRequest.Builder request) {
    Reader reader = read(state, request.build(), 1_000);
    assertThat(reader.code()).isEqualTo(Status.Code.OK);
    return reader.incidents().size();
  }

  @Test
  void snapshot_ofAClientThatDoesNotReadWaitsWithoutAThreadAndStaysAsItWas() throws Exception {
    var state = serve(8, Duration.ofSeconds(60));
    Reader slow = read(state, all().build(), 0);
    await().until(() -> slow.taken.size() == 1);
    long sequence = slow.taken.get(0).getSequence();
    for (int i = 0; i < 3; i++) { // more readers that do not read than there are threads
      Reader other = read(state, all().build(), 0);
      await().until(() -> other.taken.size() == 1);
    }
    assertThat(matches(state, all().setSource("other"))).as("others go on").isEqualTo(OTHERS);
    apply(TestLog.alert("late", "late", "late"));
    slow.call.request(1_000);
    assertThat(slow.code()).isEqualTo(Status.Code.OK);
    assertThat(slow.incidents()).hasSize(INCIDENTS + OTHERS);
    assertThat(slow.taken).allMatch(part -> part.getSequence() == sequence);
  }

  @Test
  void snapshot_hasWhatWasThereWhateverTheFoldDoesMeanwhile() throws Exception {
    var state = serve(2, Duration.ofSeconds(60));
    Reader slow = read(state, all().build(), 0);
    await().until(() -> slow.taken.size() == 1);
    for (int i = 0; i < INCIDENTS; i++) {
      apply(TestLog.alert("a" + i, "service " + i, "slow", AlertStatus.ENDED));
      apply(TestLog.alert("a" + i, "service " + i, "another"));
    }
    fold.apply(LogEntries.tick(), offset++, World.START_MS + Duration.ofDays(60).toMillis());
    slow.call.request(1_000);
    assertThat(slow.code()).isEqualTo(Status.Code.OK);
    assertThat(slow.incidents()).hasSize(INCIDENTS + OTHERS);
    assertThat(slow.incidents())
        .filteredOn(incident -> incident.getSource().equals("test"))
        .allMatch(incident -> incident.getRevision() == 1 && incident.getOccurrences() == 1);
    assertThat(matches(state, all())).as("nothing is left").isZero();
    assertThat(openIterators()).isZero();
  }

  @Test
  void snapshot_whileMoreChangesThanCanBeKeptIsUnavailable() {
    Semaphore room = new Semaphore(2);
    try (IncidentSnapshot snapshot = view.store().snapshot("default", true, true, room)) {
      assertThat(snapshot.next()).isNotNull();
      for (int i = 0; i < 3; i++) {
        apply(TestLog.alert("b" + i, "service " + i, "slow"));
      }
      assertThatThrownBy(snapshot::next).isInstanceOf(IncidentSnapshot.OverrunException.class);
    }
    assertThat(room.availablePermits()).isEqualTo(2);
  }

  @Test
  void snapshot_looksAtNoIncidentOfOtherWorkspaces() {
    try (IncidentSnapshot snapshot =
        view.store().snapshot("elsewhere", true, true, new Semaphore(1))) {
      assertThat(snapshot.next().incident().getWorkspace()).isEqualTo("elsewhere");
      assertThat(snapshot.next()).isNull();
    }
  }

  @Test
  void snapshot_beyondTheBoundIsRefusedUntilOneEnds() throws Exception {
    var state = serve(1, Duration.ofSeconds(60));
    Reader first = read(state, all().build(), 0);
    await().until(() -> first.taken.size() == 1);
    Reader second = read(state, all().build(), 1);
    assertThat(second.code()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(StatusProto.fromThrowable(second.error).getDetailsList())
        .anyMatch(detail -> detail.is(com.google.rpc.RetryInfo.class));
    first.call.cancel("enough", null);
    await().untilAsserted(() -> assertThat(openIterators()).isZero());
    await().until(() -> read(state, all().build(), 1_000).code() == Status.Code.OK);
  }

  @Test
  void snapshot_thatIsNotTakenInTimeEnds() throws Exception {
    Reader reader = read(serve(1, Duration.ofMillis(300)), all().build(), 0);
    await().until(() -> openIterators() == 0 && !reader.taken.isEmpty());
    reader.call.request(1_000);
    assertThat(reader.code()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(reader.incidents()).hasSizeLessThan(INCIDENTS);
  }

  @Test
  void snapshot_ofAPartitionThatMovesAwayEnds() throws Exception {
    var state = serve(1, Duration.ofSeconds(60));
    Reader reader = read(state, all().build(), 0);
    await().until(() -> reader.taken.size() == 1);
    disk.driver.close();
    gone = true;
    reader.call.request(1_000);
    assertThat(reader.code()).isEqualTo(Status.Code.UNAVAILABLE);
    views.close(view);
    assertThat(read(state, all().build(), 1).code()).isEqualTo(Status.Code.UNAVAILABLE);
  }
}
