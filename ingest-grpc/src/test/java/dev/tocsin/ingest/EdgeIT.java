package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import dev.tocsin.ingest.EdgeFixture.Logged;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertBatch;
import dev.tocsin.proto.alerts.AlertBatchAck;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.HealthCheckRequest;
import dev.tocsin.proto.alerts.HealthCheckResponse;
import dev.tocsin.proto.alerts.HealthStatus;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Partitions;
import dev.tocsin.schemas.Severity;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every way in, from a client to the log's bytes. */
final class EdgeIT {
  private static EdgeFixture edge;

  @BeforeAll
  static void open() throws Exception {
    edge = EdgeFixture.serving(SharedBroker.bootstrap(), Map.of());
  }

  @AfterAll
  static void close() {
    edge.close();
  }

  @Test
  void submitAlert_isOnTheLogAsItWasSent() {
    AlertMessage sent =
        Alerts.alert("unary-1")
            .putAnnotations("runbook", "https://example.org/disk")
            .addAffectedResources("db-1:/var")
            .setStatus(AlertMessage.Status.RESOLVED)
            .setFiredAt(Timestamp.newBuilder().setSeconds(1_438_196_669).setNanos(71_000_000))
            .setEndsAt(Timestamp.newBuilder().setSeconds(1_438_196_700))
            .build();

    AlertAck ack = edge.calls().submitAlert(sent);

    assertThat(ack.getStatus()).isEqualTo(AlertAck.Status.ACCEPTED);
    assertThat(ack.getAlertId()).isEqualTo("unary-1");
    Logged logged = edge.logged("unary-1").orElseThrow();
    assertPosition(ack, logged);
    Alert alert = logged.alert();
    assertThat(alert.getWorkspace()).isEqualTo("default");
    assertThat(alert.getSource()).isEqualTo("test");
    assertThat(alert.getTitle()).isEqualTo("disk full");
    assertThat(alert.getDescription()).isEqualTo("no room left on /var");
    assertThat(alert.getStatus()).isEqualTo(AlertStatus.ENDED);
    assertThat(alert.getSeverity()).isEqualTo(Severity.P2);
    assertThat(alert.getType()).isEqualTo(IncidentType.INFRASTRUCTURE);
    assertThat(alert.getLabels()).isEqualTo(sent.getLabelsMap());
    assertThat(alert.getAnnotations()).isEqualTo(sent.getAnnotationsMap());
    assertThat(alert.getAffectedResources()).containsExactly("db-1:/var");
    assertThat(alert.getFiredAtMs()).isEqualTo(1_438_196_669_071L);
    assertThat(alert.getEndsAtMs()).isEqualTo(1_438_196_700_000L);
    assertThat(alert.getReceivedAtMs()).isEqualTo(ms(ack.getReceivedAt()));
    assertThat(alert.getReceipt()).isNotNull();
    assertThat(HexFormat.of().formatHex(alert.getFingerprint().bytes()))
        .isEqualTo(ack.getFingerprint());
  }

  @Test
  void submitAlert_withoutAnIdGetsOneThatCannotBeRecognizedAgain() {
    AlertAck ack = edge.calls().submitAlert(Alerts.alert("").build());

    Alert alert = edge.logged(ack.getAlertId()).orElseThrow().alert();
    assertThat(ack.getAlertId()).hasSize(36);
    assertThat(alert.getReceipt()).isNull();
    assertThat(alert.getFiredAtMs()).isEqualTo(ms(ack.getReceivedAt()));
  }

  @Test
  void streamAlerts_acknowledgesEachOnceWithItsPlaceOnTheLog() {
    Acks<AlertMessage, AlertAck> acks = new Acks<>(true);
    var requests = edge.streams().streamAlerts(acks);
    for (int i = 0; i < 5000; i++) {
      requests.onNext(Alerts.of("stream-" + i, i % 50));
    }
    requests.onCompleted();

    assertThat(acks.awaitEnd()).isEqualTo(Status.OK);
    assertThat(acks.received).hasSize(5000);
    Map<String, Logged> log = byId("stream-");
    assertThat(log).hasSize(5000);
    for (AlertAck ack : acks.received) {
      assertThat(ack.getStatus()).isEqualTo(AlertAck.Status.ACCEPTED);
      assertPosition(ack, log.get(ack.getAlertId()));
    }
    assertThat(acks.received.stream().map(AlertAck::getAlertId).distinct()).hasSize(5000);
    assertNothingInFlight();
  }

  @Test
  void streamAlerts_keepsTheOrderOfOneSourceWithinItsPartition() {
    Acks<AlertMessage, AlertAck> acks = new Acks<>(true);
    var requests = edge.streams().streamAlerts(acks);
    for (int i = 0; i < 2000; i++) {
      requests.onNext(Alerts.of("ordered-" + i, 7));
    }
    requests.onCompleted();

    assertThat(acks.awaitEnd()).isEqualTo(Status.OK);
    List<String> logged =
        edge.log().stream()
            .map(l -> l.alert().getAlertId())
            .filter(id -> id.startsWith("ordered-"))
            .toList();
    assertThat(logged).hasSize(2000).first().isEqualTo("ordered-0");
    assertThat(logged)
        .isSortedAccordingTo(
            (a, b) ->
                Integer.compare(
                    Integer.parseInt(a.substring(8)), Integer.parseInt(b.substring(8))));
  }

  @Test
  void streamAlerts_emptyStreamEndsWithOk() {
    Acks<AlertMessage, AlertAck> acks = new Acks<>(true);
    edge.streams().streamAlerts(acks).onCompleted();

    assertThat(acks.awaitEnd()).isEqualTo(Status.OK);
    assertThat(acks.received).isEmpty();
  }

  @Test
  void submitAlerts_answersEachInTheBatchsOrder() {
    AlertBatch.Builder batch = AlertBatch.newBuilder().setBatchId("b-1");
    for (int i = 0; i < 300; i++) {
      batch.addAlerts(Alerts.of("batch-" + i, i));
    }
    batch.setAlerts(100, Alerts.alert("batch-100").setTitle(" "));

    AlertBatchAck ack = edge.calls().submitAlerts(batch.build());

    assertThat(ack.getBatchId()).isEqualTo("b-1");
    assertThat(ack.getAcksList())
        .extracting(AlertAck::getAlertId)
        .isEqualTo(batch.getAlertsList().stream().map(AlertMessage::getAlertId).toList());
    assertThat(ack.getAcks(100).getStatus()).isEqualTo(AlertAck.Status.REJECTED);
    Map<String, Logged> log = byId("batch-");
    assertThat(log).hasSize(299).doesNotContainKey("batch-100");
    ack.getAcksList().stream()
        .filter(a -> a.getStatus() == AlertAck.Status.ACCEPTED)
        .forEach(a -> assertPosition(a, log.get(a.getAlertId())));
  }

  @Test
  void submitAlerts_emptyBatchIsAnswered() {
    AlertBatchAck ack =
        edge.calls().submitAlerts(AlertBatch.newBuilder().setBatchId("none").build());

    assertThat(ack).isEqualTo(AlertBatchAck.newBuilder().setBatchId("none").build());
  }

  @Test
  void streamAlertBatches_answersEachBatchOnce() {
    Acks<AlertBatch, AlertBatchAck> acks = new Acks<>(true);
    var requests = edge.streams().streamAlertBatches(acks);
    for (int b = 0; b < 50; b++) {
      AlertBatch.Builder batch = AlertBatch.newBuilder().setBatchId("sb-" + b);
      for (int i = 0; i < b; i++) { // the first is empty
        batch.addAlerts(Alerts.of("sbatch-" + b + "-" + i, i));
      }
      requests.onNext(batch.build());
    }
    requests.onCompleted();

    assertThat(acks.awaitEnd()).isEqualTo(Status.OK);
    assertThat(acks.received).hasSize(50);
    Map<String, Logged> log = byId("sbatch-");
    assertThat(log).hasSize(49 * 50 / 2);
    for (AlertBatchAck ack : acks.received) {
      assertThat(ack.getAcksCount()).isEqualTo(Integer.parseInt(ack.getBatchId().substring(3)));
      ack.getAcksList().forEach(a -> assertPosition(a, log.get(a.getAlertId())));
    }
    assertNothingInFlight();
  }

  @Test
  void alertSentAgain_isAcceptedUnderTheSameKeys() {
    AlertMessage alert = Alerts.alert("again").build();

    AlertAck first = edge.calls().submitAlert(alert);
    AlertAck second = edge.calls().submitAlert(alert);
    AlertAck ended =
        edge.calls().submitAlert(alert.toBuilder().setStatus(AlertMessage.Status.RESOLVED).build());

    List<Alert> logged =
        edge.log().stream().map(Logged::alert).filter(a -> a.getAlertId().equals("again")).toList();
    assertThat(List.of(first, second, ended))
        .extracting(AlertAck::getStatus)
        .containsOnly(AlertAck.Status.ACCEPTED);
    assertThat(logged).hasSize(3);
    assertThat(logged.get(0).getReceipt()).isEqualTo(logged.get(1).getReceipt());
    assertThat(logged.get(0).getReceipt()).isNotEqualTo(logged.get(2).getReceipt());
    assertThat(first.getFingerprint()).isEqualTo(ended.getFingerprint());
  }

  @Test
  void healthCheck_saysHealthyWithTheVersion() {
    HealthCheckResponse health = edge.calls().healthCheck(HealthCheckRequest.getDefaultInstance());

    assertThat(health.getStatus()).isEqualTo(HealthStatus.HEALTH_STATUS_HEALTHY);
    assertThat(health.getVersion()).isEqualTo(System.getProperty("project.version"));
    assertThat(health.getUptimeSeconds()).isBetween(0L, 3600L);
  }

  private static Map<String, Logged> byId(String prefix) {
    List<Logged> found = new ArrayList<>(edge.log());
    found.removeIf(l -> !l.alert().getAlertId().startsWith(prefix));
    return found.stream()
        .collect(Collectors.toMap(l -> l.alert().getAlertId(), Function.identity()));
  }

  private static void assertPosition(AlertAck ack, Logged logged) {
    assertThat(ack.getPosition().getPartition()).isEqualTo(logged.partition());
    assertThat(ack.getPosition().getOffset()).isEqualTo(logged.offset());
    assertThat(ack.getPosition().getIndex()).isEqualTo(logged.index());
    assertThat(logged.partition())
        .isEqualTo(Partitions.of(logged.alert().getRoute(), EdgeFixture.PARTITIONS));
  }

  private static void assertNothingInFlight() {
    assertThat(edge.gauge("tocsin.edge.in.flight.alerts")).isZero();
    assertThat(edge.gauge("tocsin.edge.in.flight.bytes")).isZero();
  }

  private static long ms(Timestamp time) {
    return time.getSeconds() * 1000 + time.getNanos() / 1_000_000;
  }
}
