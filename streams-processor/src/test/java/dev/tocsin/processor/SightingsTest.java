package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.AlertEffect;
import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Fold;
import dev.tocsin.proto.incidents.AlertSighting;
import dev.tocsin.proto.incidents.AlertSighting.Effect;
import dev.tocsin.proto.incidents.AlertSighting.Status;
import dev.tocsin.proto.state.ReadSightingsRequest;
import dev.tocsin.proto.state.ReadSightingsResponse;
import dev.tocsin.runtime.IncidentMapper;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.UpdateIncident;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the owner of a partition tells of an alert. */
@Timeout(60)
class SightingsTest {
  private static final Codec<LogEntry> CODEC = Codec.of(LogEntry.class);

  private final DiskStore disk = new DiskStore();
  private final PartitionStore store = new PartitionStore(disk.bytes(), () -> 1 << 20);
  private final Fold fold = new Fold(store, event -> {});
  private final RecordedLog log = new RecordedLog();
  private final EntryReader reader = new EntryReader(RecordedLog.TOPIC, log::consumer);
  private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
  private PartitionViews views;
  private StateService service;
  private long offset;
  private long nowMs = World.START_MS;

  @BeforeEach
  void open() {
    views =
        new PartitionViews(
            partition -> CompletableFuture.completedStage(0L), timer, Runnable::run, 2);
    views.open(0, store);
    PositionWait positions =
        new PositionWait(partition -> CompletableFuture.completedStage(100L), timer);
    service = new StateService(views, null, positions, null, null, reader, CODEC);
    append(LogEntries.of(new RulesActivated(DefaultRules.read())));
  }

  @AfterEach
  void close() throws Exception {
    reader.close();
    timer.shutdownNow();
    disk.close();
  }

  @Test
  void sighting_isTheAlertAsItStandsOnTheLog() throws Exception {
    Alert alert = TestLog.alert("1", "db", "slow");
    alert.setReceivedAtMs(nowMs - 3);
    alert.setEndsAtMs(nowMs + 60_000);
    send(TestLog.alert("0", "web", "slow"), alert);
    AlertSighting told = only("1");
    assertThat(told.getPosition().getPartition()).isZero();
    assertThat(told.getPosition().getOffset()).isEqualTo(1);
    assertThat(told.getPosition().getIndex()).isEqualTo(1);
    assertThat(told.getLoggedAt()).isEqualTo(IncidentMapper.time(nowMs));
    assertThat(told.getReceivedAt()).isEqualTo(IncidentMapper.time(nowMs - 3));
    assertThat(told.getFiredAt()).isEqualTo(IncidentMapper.time(alert.getFiredAtMs()));
    assertThat(told.getEndsAt()).isEqualTo(IncidentMapper.time(nowMs + 60_000));
    assertThat(told.getStatus()).isEqualTo(Status.FIRING);
    assertThat(told.getTitle()).isEqualTo("slow");
    assertThat(told.getSeverity()).isEqualTo(dev.tocsin.proto.incidents.Severity.SEVERITY_P2);
    assertThat(told.getFingerprint())
        .isEqualTo(HexFormat.of().formatHex(alert.getFingerprint().bytes()));
    assertThat(told.getGroup()).hasSize(32).isNotEqualTo(told.getFingerprint());
    assertThat(told.getRule()).isEmpty();
    assertThat(told.getRulesVersion()).isEqualTo(1);
    assertThat(told.getEffect()).isEqualTo(Effect.OPENED);
    assertThat(told.getIncidentId()).isEqualTo(newest(alert));
  }

  @Test
  void effects_haveTheirNamesakes() {
    assertThat(Arrays.stream(AlertEffect.values()).skip(1).map(each -> Effect.valueOf(each.name())))
        .extracting(Effect::getNumber)
        .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  }

  @Test
  void explanation_saysWhatItDidAndWhy() throws Exception {
    send(TestLog.alert("1", "db", "slow"));
    String id = newest(TestLog.alert("1", "db", "slow"));
    assertThat(explained("1"))
        .isEqualTo(
            "opened incident "
                + id
                + ": its group (source, type, labels.service) had none that was open");
    Alert worse = TestLog.alert("2", "db", "full");
    worse.setSeverity(Severity.P0);
    send(worse);
    assertThat(explained("2"))
        .isEqualTo(
            "joined incident "
                + id
                + ", opened at 0-1, because its group (source, type, labels.service) had it open; it made the severity P0");
    send(TestLog.alert("3", "db", "slow"));
    assertThat(explained("3"))
        .isEqualTo(
            "counted once more in incident " + id + ", opened at 0-1, which knew its condition");
    send(ended("4", "slow"));
    assertThat(explained("4"))
        .isEqualTo("ended its condition in incident " + id + ", opened at 0-1");
    send(ended("5", "full"));
    assertThat(explained("5"))
        .isEqualTo(
            "ended its condition in incident "
                + id
                + ", opened at 0-1; it was the last that was active, so the incident was resolved");
    send(ended("6", "full"));
    assertThat(explained("6")).isEqualTo("ended nothing: no such condition was active");
    nowMs += 1_000;
    send(TestLog.alert("7", "db", "slow"));
    assertThat(explained("7"))
        .startsWith("reopened incident " + id + ", opened at 0-1: its group (source, ");
    assertThat(only("4").getIncidentId()).isEqualTo(id);
    assertThat(only("6").getIncidentId()).isEmpty();
  }

  @Test
  void explanation_ofWhatWasCountedAndNothingElse() throws Exception {
    Alert suppressed = TestLog.alert("1", "db", "slow");
    suppressed.setRule("noise");
    suppressed.setSuppressed(true);
    send(suppressed);
    assertThat(explained("1")).isEqualTo("counted and nothing else: rule `noise` suppresses it");

    send(ended("2", "gone"));
    Alert late = TestLog.alert("3", "db", "gone");
    late.setFiredAtMs(World.START_MS - 500_000);
    send(late);
    assertThat(only("3").getEffect()).isEqualTo(Effect.STALE);
    assertThat(explained("3"))
        .matches("opened nothing: it fired at 20\\S+Z, before its condition's end at 20\\S+Z");

    send(TestLog.alert("4", "web", "slow"));
    Incident open = incident(TestLog.alert("4", "web", "slow"));
    resolve(open);
    nowMs += 1_000;
    send(TestLog.alert("5", "web", "slow"));
    assertThat(only("5").getIncidentId()).isEqualTo(IncidentId.text(open.getId()));
    assertThat(explained("5"))
        .isEqualTo(
            "counted and nothing else: a person had resolved incident %s, opened at 0-%d, while its condition was active, and that had not ended since"
                .formatted(IncidentId.text(open.getId()), open.getOpenedOffset()));
  }

  @Test
  void incident_thatIsNotKnownAnyMore_isNotGuessed() throws Exception {
    send(TestLog.alert("1", "db", "slow"));
    String first = newest(TestLog.alert("1", "db", "slow"));
    send(TestLog.alert("2", "db", "slow"));
    send(TestLog.alert("3", "db", "full"));
    send(ended("4", "slow"), ended("5", "full"));
    nowMs += Duration.ofMinutes(6).toMillis();
    send(TestLog.alert("6", "db", "slow"));
    assertThat(only("6").getEffect()).isEqualTo(Effect.OPENED);
    assertThat(only("3").getIncidentId()).as("its condition is still of that one").isEqualTo(first);
    assertThat(only("2").getIncidentId()).as("both have moved on").isEmpty();
    assertThat(explained("2"))
        .startsWith("counted once more in an incident that is not known any more");
    assertThat(only("4").getIncidentId()).isEmpty();
    assertThat(explained("4")).endsWith("in which incident is not known any more");
    assertThat(only("6").getIncidentId()).isNotEqualTo(first).isNotEmpty();
  }

  @Test
  void sightings_underOneId_areToldNewestFirst_redeliveriesNot() throws Exception {
    send(TestLog.alert("1", "db", "slow"));
    send(ended("1", "slow"), TestLog.alert("1", "web", "slow"));
    send(TestLog.alert("1", "db", "slow"), ended("1", "slow"));
    assertThat(ask("1").getSightingsList())
        .extracting(AlertSighting::getEffect)
        .containsExactly(Effect.OPENED, Effect.RESOLVED_CONDITION, Effect.OPENED);
    assertThat(ask("1").getReceiptWindowMs()).isEqualTo(3_600_000);
    assertThat(ask("1").getAppliedOffset()).isEqualTo(4);
  }

  @Test
  void sightings_beyondTheBound_areCounted() throws Exception {
    Alert[] alerts = new Alert[SightingReader.SIGHTINGS_MAX + 5];
    for (int i = 0; i < alerts.length; i++) {
      alerts[i] = TestLog.alert("1", "service " + i, "slow");
    }
    send(alerts);
    ReadSightingsResponse response = ask("1");
    assertThat(response.getSightingsCount()).isEqualTo(SightingReader.SIGHTINGS_MAX);
    assertThat(response.getLeftOut()).isEqualTo(5);
    assertThat(response.getSightings(0).getPosition().getIndex()).isEqualTo(alerts.length - 1);
  }

  @Test
  void sightings_areOfTheirWorkspaceAndSource_andOfNoOtherThatHasTheSameHash() throws Exception {
    Alert alert = TestLog.alert("1", "db", "slow");
    Alert other = TestLog.alert("2", "web", "slow");
    byte[] key = other.getReceipt().bytes();
    System.arraycopy(alert.getReceipt().bytes(), 12, key, 12, 4);
    send(alert, other);
    assertThat(only("1").getPosition().getIndex()).isZero();
    assertThat(ask("2").getSightingsList()).isEmpty();
    assertThat(ask(request("1").setWorkspace("another")).getSightingsList()).isEmpty();
    assertThat(ask(request("1").setSource("another")).getSightingsList()).isEmpty();
  }

  @Test
  void sighting_whoseEntryTheLogHasLost_saysSo() throws Exception {
    send(TestLog.alert("1", "db", "slow"));
    send(TestLog.alert("2", "db", "slow"));
    log.begin(2);
    AlertSighting told = only("1");
    assertThat(told.getExplanation()).isEqualTo(AlertStory.NOT_ON_THE_LOG);
    assertThat(told.getEffect()).isEqualTo(Effect.OPENED);
    assertThat(told.getPosition().getOffset()).isEqualTo(1);
    assertThat(told.hasLoggedAt()).isFalse();
  }

  @Test
  void sighting_ofSoftwareWithoutPositions_saysSo() throws Exception {
    send(TestLog.alert("1", "db", "slow"));
    store.flush();
    disk.bytes().delete(StateKeys.receiptPositions(0, 0));
    views.open(0, new PartitionStore(disk.bytes(), () -> 1 << 20));
    service = new StateService(views, null, null, null, null, reader, CODEC);
    assertThat(only("1"))
        .isEqualTo(AlertSighting.newBuilder().setExplanation(AlertStory.EFFECT_NOT_KEPT).build());
  }

  @Test
  void log_thatDoesNotAnswer_isUnavailable_whereSomethingIsFound() throws Exception {
    send(TestLog.alert("1", "db", "slow"));
    log.fail(new KafkaException("no"));
    assertThat(refusal(request("1"))).startsWith("UNAVAILABLE: the entry at 0-1 cannot be read");
    log.fail(new KafkaException("no"));
    assertThat(ask("2").getSightingsList()).as("the log is not asked").isEmpty();
  }

  @Test
  void partition_thatIsNotHere_isUnavailable_andAPositionIsWaitedFor() throws Exception {
    send(TestLog.alert("1", "db", "slow"));
    assertThat(refusal(request("1").setPartition(1))).startsWith("UNAVAILABLE");
    assertThat(ask(request("1").setMinOffset(1)).getSightingsCount()).isEqualTo(1);
    assertThat(refusal(request("1").setMinOffset(100))).startsWith("INVALID_ARGUMENT");
    CompletableFuture<ReadSightingsResponse> waiting = asked(request("2").setMinOffset(2));
    send(TestLog.alert("2", "db", "slow"));
    views.owned().forEach(PartitionView::applied);
    assertThat(waiting.get().getSightingsCount()).isEqualTo(1);
  }

  private void send(Alert... alerts) {
    append(LogEntries.of(new Alerts(1, List.of(alerts))));
  }

  private void append(LogEntry entry) {
    log.add(offset, nowMs, CODEC.encode(entry));
    fold.apply(entry, offset++, nowMs);
  }

  private void resolve(Incident incident) {
    append(
        LogEntries.of(
            Commands.of(
                incident.getWorkspace(),
                "resolve",
                incident.getId(),
                incident.getRoute(),
                UpdateIncident.newBuilder().setState(IncidentState.RESOLVED).build())));
  }

  private static Alert ended(String id, String title) {
    return TestLog.alert(id, "db", title, AlertStatus.ENDED);
  }

  private String newest(Alert alert) {
    return IncidentId.text(incident(alert).getId());
  }

  private Incident incident(Alert alert) {
    return store.incident(store.group(alert.getGroup()).getIncident());
  }

  private String explained(String alertId) throws Exception {
    return only(alertId).getExplanation();
  }

  private AlertSighting only(String alertId) throws Exception {
    List<AlertSighting> all = ask(alertId).getSightingsList();
    assertThat(all).hasSize(1);
    return all.get(0);
  }

  private ReadSightingsResponse ask(String alertId) throws Exception {
    return ask(request(alertId));
  }

  private ReadSightingsResponse ask(ReadSightingsRequest.Builder request) throws Exception {
    return asked(request).get();
  }

  private String refusal(ReadSightingsRequest.Builder request) throws Exception {
    try {
      return "answered " + asked(request).get();
    } catch (ExecutionException e) {
      io.grpc.Status status = io.grpc.Status.fromThrowable(e.getCause());
      return status.getCode() + ": " + status.getDescription();
    }
  }

  private static ReadSightingsRequest.Builder request(String alertId) {
    return ReadSightingsRequest.newBuilder()
        .setWorkspace("default")
        .setSource("test")
        .setAlertId(alertId);
  }

  private CompletableFuture<ReadSightingsResponse> asked(ReadSightingsRequest.Builder request) {
    CompletableFuture<ReadSightingsResponse> answer = new CompletableFuture<>();
    service.readSightings(
        request.build(),
        new StreamObserver<>() {
          private ReadSightingsResponse response;

          @Override
          public void onNext(ReadSightingsResponse value) {
            response = value;
          }

          @Override
          public void onError(Throwable failure) {
            answer.completeExceptionally(failure);
          }

          @Override
          public void onCompleted() {
            answer.complete(response);
          }
        });
    return answer;
  }
}
