package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Fold;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.SilenceState;
import dev.tocsin.proto.state.IncidentStateGrpc;
import dev.tocsin.proto.state.IncidentStateGrpc.IncidentStateBlockingStub;
import dev.tocsin.proto.state.PreviewSilenceRequest;
import dev.tocsin.proto.state.ReadDigestRequest;
import dev.tocsin.proto.state.ReadIncidentRequest;
import dev.tocsin.proto.state.ReadOutcomeRequest;
import dev.tocsin.proto.state.ReadOutcomeResponse;
import dev.tocsin.proto.state.ReadSilencesRequest;
import dev.tocsin.proto.state.ReadSilencesResponse;
import dev.tocsin.proto.state.ScanIncidentsRequest;
import dev.tocsin.proto.state.ScanIncidentsResponse;
import dev.tocsin.proto.state.SnapshotIncidentsRequest;
import dev.tocsin.runtime.GrpcServer;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.MatchOperator;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Silence;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The state server over a real connection, before one partition of many incidents. */
class StateServiceTest {
  /** More than one walk looks at. */
  private static final int INCIDENTS = IncidentScan.BUDGET + 2_000;

  private static final int LARGE = 100;

  private static final DiskStore DISK = new DiskStore();
  private static final ScheduledThreadPoolExecutor TIMER = new ScheduledThreadPoolExecutor(1);
  private static Command asked;
  private static PartitionViews views;
  private static PartitionView view;
  private static GrpcServer server;
  private static ManagedChannel channel;
  private static IncidentStateBlockingStub state;

  @BeforeAll
  static void open() throws Exception {
    PartitionStore store = new PartitionStore(DISK.bytes(), () -> 1 << 20);
    Fold fold = new Fold(store, event -> {});
    int offset = 0;
    fold.apply(LogEntries.of(new RulesActivated(DefaultRules.read())), offset++, World.START_MS);
    for (int i = 0; i < INCIDENTS; i += 500) {
      List<Alert> alerts = new ArrayList<>();
      for (int j = i; j < i + 500; j++) {
        alerts.add(TestLog.alert("a" + j, "service " + j, "slow"));
      }
      fold.apply(LogEntries.of(new Alerts(1, alerts)), offset++, World.START_MS + i);
    }
    for (int i = 0; i < LARGE; i++) {
      Alert alert = TestLog.alert("l" + i, "large " + i, "large");
      alert.setWorkspace("large");
      alert.setDescription("x".repeat(100_000));
      fold.apply(LogEntries.of(new Alerts(1, List.of(alert))), offset++, World.START_MS + 100_000);
    }
    asked = Commands.create("asked", "mail");
    asked.setWorkspace("desk");
    fold.apply(LogEntries.of(asked), offset++, World.START_MS + 100_000);
    for (String title : List.of("quiet", "loud")) {
      Alert alert = TestLog.alert(title, title, title);
      alert.setWorkspace("hushed");
      fold.apply(LogEntries.of(new Alerts(1, List.of(alert))), offset++, World.START_MS + 100_000);
    }
    fold.apply(LogEntries.of(silence()), offset++, World.START_MS + 100_000);
    store.flush();
    long end = offset;
    views =
        new PartitionViews(
            partition -> CompletableFuture.completedStage(end), TIMER, Runnable::run, 2);
    view = views.open(0, store);
    OwnerFeed owners = new OwnerFeed(1, "log", List::of, TIMER);
    StateService service =
        new StateService(
            views,
            owners,
            new PositionWait(partition -> CompletableFuture.completedStage(end + 1), TIMER),
            new Standbys(
                partition -> DISK.bytes(),
                partition -> CompletableFuture.completedStage(end),
                partition -> CompletableFuture.completedStage(end + 3),
                Runnable::run,
                new StateCodecs(),
                Clock.systemUTC()),
            new SnapshotCalls(2, Duration.ofSeconds(60), TIMER, TIMER),
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
    state = IncidentStateGrpc.newBlockingStub(channel);
  }

  private static Silence silence() {
    return new Silence(
        "hushed",
        Keys.of(1, 2),
        Keys.of(3, 4),
        List.of(new Matcher("title", MatchOperator.EQUAL, "quiet")),
        World.START_MS,
        World.START_MS + 1_000_000,
        "anna",
        "why",
        World.START_MS);
  }

  @Test
  void silences_areToldWithWhatTheyWereAskedBy() {
    ReadSilencesRequest request = ReadSilencesRequest.newBuilder().setWorkspace("hushed").build();
    ReadSilencesResponse response = state.readSilences(request);
    assertThat(response.getSilencesList()).hasSize(1);
    var kept = response.getSilences(0);
    assertThat(kept.getContent().toByteArray()).isEqualTo(Keys.of(3, 4).bytes());
    assertThat(kept.getSilence().getId()).isEqualTo(IncidentId.text(Keys.of(1, 2)));
    assertThat(kept.getSilence().getMatchersList()).containsExactly("title = \"quiet\"");
    assertThat(kept.getSilence().getState()).isEqualTo(SilenceState.SILENCE_STATE_ACTIVE);
    assertThat(state.readSilences(request.toBuilder().setWorkspace("desk").build()))
        .extracting(ReadSilencesResponse::getSilencesCount)
        .isEqualTo(0);
  }

  @Test
  void suppressed_areLeftOutUnlessTheyAreAskedFor() {
    ScanIncidentsRequest.Builder request =
        ScanIncidentsRequest.newBuilder().setWorkspace("hushed").setLimit(10);
    assertThat(state.scanIncidents(request.build()).getIncidentsList())
        .extracting(Incident::getTitle)
        .containsExactly("loud");
    assertThat(state.scanIncidents(request.setIncludeSuppressed(true).build()).getIncidentsList())
        .extracting(Incident::getTitle)
        .containsExactlyInAnyOrder("loud", "quiet");
    SnapshotIncidentsRequest.Builder snapshot =
        SnapshotIncidentsRequest.newBuilder().setWorkspace("hushed");
    for (boolean all : new boolean[] {false, true}) {
      List<Incident> found = new ArrayList<>();
      state
          .snapshotIncidents(snapshot.setIncludeSuppressed(all).build())
          .forEachRemaining(part -> found.addAll(part.getIncidentsList()));
      assertThat(found).hasSize(all ? 2 : 1);
    }
  }

  @Test
  void preview_countsUpToItsBudgetAndTellsTheNewest() {
    PreviewSilenceRequest.Builder request =
        PreviewSilenceRequest.newBuilder().setWorkspace("hushed").setLimit(1);
    var both = state.previewSilence(request.addMatchers("title =~ \"quiet|loud\"").build());
    assertThat(both.getCount()).as("hidden ones too").isEqualTo(2);
    assertThat(both.getIncidentsList()).hasSize(1);
    assertThat(both.getMore()).isFalse();
    var many =
        state.previewSilence(
            PreviewSilenceRequest.newBuilder()
                .setWorkspace("default")
                .setLimit(2)
                .addMatchers("title != \"\"")
                .build());
    assertThat(many.getCount()).isEqualTo(SilenceReads.BUDGET);
    assertThat(many.getMore()).isTrue();
    assertThat(many.getIncidents(0).getId()).isGreaterThan(many.getIncidents(1).getId());
  }

  @AfterAll
  static void close() throws Exception {
    channel.shutdownNow();
    server.close();
    TIMER.shutdownNow();
    DISK.close();
  }

  @Test
  void scan_stopsAtItsBudgetAndSaysHowFarItCame() {
    ScanIncidentsResponse first = state.scanIncidents(scan(10).setSource("nobody").build());
    assertThat(first.getIncidentsCount()).isZero();
    assertThat(first.getScannedTo().size()).isEqualTo(16);
    ScanIncidentsResponse second =
        state.scanIncidents(scan(10).setSource("nobody").setBeforeId(first.getScannedTo()).build());
    assertThat(second.getScannedTo()).as("the end").isEqualTo(ByteString.EMPTY);
  }

  @Test
  void scan_inPagesComesToEachIncidentOnceNewestFirst() {
    List<String> ids = new ArrayList<>();
    ByteString before = ByteString.EMPTY;
    do {
      ScanIncidentsResponse page = state.scanIncidents(scan(999).setBeforeId(before).build());
      page.getIncidentsList().stream().map(Incident::getId).forEach(ids::add);
      before = page.getScannedTo();
    } while (!before.isEmpty());
    assertThat(ids).hasSize(INCIDENTS).doesNotHaveDuplicates();
    assertThat(ids).isSortedAccordingTo(java.util.Comparator.reverseOrder());
  }

  @Test
  void scan_givesAtMostItsLimit() {
    assertThat(state.scanIncidents(scan(5_000).build()).getIncidentsCount())
        .isEqualTo(IncidentScan.LIMIT_MAX);
  }

  @Test
  void scan_staysBelowTheLargestMessage() {
    int seen = 0;
    ByteString before = ByteString.EMPTY;
    do {
      ScanIncidentsResponse page =
          state.scanIncidents(scan(1_000).setWorkspace("large").setBeforeId(before).build());
      assertThat(page.getSerializedSize()).isLessThan(4 << 20);
      seen += page.getIncidentsCount();
      before = page.getScannedTo();
    } while (!before.isEmpty());
    assertThat(seen).isEqualTo(LARGE);
  }

  @Test
  void scan_refusesWhatMakesNoSense() {
    refused(Status.Code.INVALID_ARGUMENT, () -> state.scanIncidents(scan(0).build()));
    refused(
        Status.Code.INVALID_ARGUMENT,
        () -> state.scanIncidents(scan(1).setBeforeId(ByteString.copyFromUtf8("x")).build()));
  }

  @Test
  void scan_ofAPartitionThatIsNotHereIsUnavailable() {
    refused(Status.Code.UNAVAILABLE, () -> state.scanIncidents(scan(1).setPartition(1).build()));
  }

  @Test
  void scan_stopsSoonWhenNobodyWaits() {
    int[] asked = {0};
    IncidentScan scan = new IncidentScan(view, scan(1_000).setSource("nobody").build());
    scan.run(
        () -> {
          asked[0]++;
          return true;
        });
    assertThat(asked[0]).isEqualTo(1);
    assertThat(openIterators()).isZero();
  }

  @Test
  void calls_thatAreCancelledOrLateLeaveNoIteratorOpen() {
    for (int i = 1; i <= 20; i++) {
      int deadlineMs = i;
      assertThatThrownBy(
              () -> {
                var quick = state.withDeadlineAfter(deadlineMs, TimeUnit.MILLISECONDS);
                for (int calls = 0; calls < 1_000; calls++) {
                  var unused = quick.readDigest(ReadDigestRequest.getDefaultInstance());
                }
              })
          .isInstanceOf(StatusRuntimeException.class)
          .satisfies(
              failure ->
                  assertThat(Status.fromThrowable(failure).getCode())
                      .isEqualTo(Status.Code.DEADLINE_EXCEEDED));
    }
    for (int i = 0; i < 20; i++) {
      Context.CancellableContext call = Context.current().withCancellation();
      call.run(
          () -> {
            var unused =
                IncidentStateGrpc.newFutureStub(channel)
                    .scanIncidents(scan(1_000).setSource("nobody").build());
          });
      call.cancel(null);
    }
    Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> openIterators() == 0);
  }

  @Test
  void read_isOfItsWorkspaceOnly() {
    Incident incident = state.scanIncidents(scan(1).build()).getIncidents(0);
    ByteString id = ByteString.copyFrom(IncidentId.parse(incident.getId()).orElseThrow().bytes());
    ReadIncidentRequest.Builder request = ReadIncidentRequest.newBuilder().setId(id);
    assertThat(state.readIncident(request.setWorkspace("default").build()).getIncident())
        .isEqualTo(incident);
    assertThat(state.readIncident(request.setWorkspace("another").build()).hasIncident()).isFalse();
    assertThat(state.readIncident(request.setWorkspace("").build()).hasIncident()).isFalse();
    refused(
        Status.Code.INVALID_ARGUMENT,
        () -> state.readIncident(request.setId(ByteString.copyFromUtf8("short")).build()));
  }

  @Test
  void read_ofAPositionWaitsWithinTheBoundAndNotBeyondTheEnd() throws Exception {
    long next = view.appliedOffset();
    refused(
        Status.Code.INVALID_ARGUMENT,
        () -> state.scanIncidents(scan(1).setMinOffset(next + 1).build()));
    refused(
        Status.Code.DEADLINE_EXCEEDED,
        () ->
            state
                .withDeadlineAfter(300, TimeUnit.MILLISECONDS)
                .scanIncidents(scan(1).setMinOffset(next).build()));
    Supplier<Future<?>> wait =
        () ->
            IncidentStateGrpc.newFutureStub(channel)
                .scanIncidents(scan(1).setMinOffset(next).build());
    List<Future<?>> waiting = new ArrayList<>(List.of(wait.get(), wait.get()));
    Awaitility.await()
        .until(
            () -> {
              // One that came before the place of the read above was free again was refused.
              waiting.replaceAll(call -> call.isDone() ? wait.get() : call);
              try {
                var unused =
                    state
                        .withDeadlineAfter(100, TimeUnit.MILLISECONDS)
                        .scanIncidents(scan(1).setMinOffset(next).build());
                return false;
              } catch (StatusRuntimeException e) {
                return e.getStatus().getCode() == Status.Code.UNAVAILABLE;
              }
            });
    waiting.forEach(call -> call.cancel(true));
  }

  @Test
  void outcome_isTold_withTheIncident() {
    ReadOutcomeResponse response = state.readOutcome(outcome().build());
    assertThat(response.getFound()).isTrue();
    assertThat(response.getCode()).isEqualTo(ReadOutcomeResponse.Code.DONE);
    assertThat(response.getIncident().getTitle()).isEqualTo("title of mail");
    assertThat(response.getAppliedOffset()).isEqualTo(view.appliedOffset());
  }

  @Test
  void outcome_refusesWhatMakesNoSense_andWhatIsNotHere() {
    refused(
        Status.Code.INVALID_ARGUMENT,
        () -> state.readOutcome(outcome().setContent(ByteString.EMPTY).build()));
    refused(Status.Code.UNAVAILABLE, () -> state.readOutcome(outcome().setPartition(1).build()));
  }

  private static ReadOutcomeRequest.Builder outcome() {
    return ReadOutcomeRequest.newBuilder()
        .setWorkspace("desk")
        .setRequestId("asked")
        .setContent(ByteString.copyFrom(asked.getContent().bytes()))
        .setMinOffset(view.appliedOffset() - 1);
  }

  @Test
  void read_thatFailsIsAnswered() {
    byte[] id = IncidentId.of(5, 5, 5).bytes();
    var key = StateKeys.of(StateKeys.INCIDENT, new dev.tocsin.schemas.Key128(id));
    DISK.bytes().put(key, new byte[] {1, 2, 3});
    refused(
        Status.Code.INTERNAL,
        () ->
            state.readIncident(
                ReadIncidentRequest.newBuilder().setId(ByteString.copyFrom(id)).build()));
    DISK.bytes().delete(key);
  }

  @Test
  void read_ofWhatNewerSoftwareWroteIsUnavailable() {
    byte[] id = IncidentId.of(6, 6, 6).bytes();
    var key = StateKeys.of(StateKeys.INCIDENT, new dev.tocsin.schemas.Key128(id));
    DISK.bytes().put(key, new byte[] {(byte) 0xC3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    refused(
        Status.Code.UNAVAILABLE,
        () ->
            state.readIncident(
                ReadIncidentRequest.newBuilder().setId(ByteString.copyFrom(id)).build()));
    DISK.bytes().delete(key);
  }

  private static ScanIncidentsRequest.Builder scan(int limit) {
    return ScanIncidentsRequest.newBuilder().setWorkspace("default").setLimit(limit);
  }

  private static void refused(Status.Code code, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOf(StatusRuntimeException.class)
        .satisfies(failure -> assertThat(Status.fromThrowable(failure).getCode()).isEqualTo(code));
  }

  private static long openIterators() {
    return DISK.driver.metrics().values().stream()
        .filter(metric -> metric.metricName().name().equals("num-open-iterators"))
        .mapToLong(metric -> ((Number) metric.metricValue()).longValue())
        .sum();
  }
}
