package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.RetryInfo;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertMessage;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A log with three replicas of which two must be in sync, on brokers that are lost. */
@Timeout(300)
final class ReplicasIT {
  private static final int NODES = 3;
  private static final int KILLS = Integer.getInteger("replicas.kills", 1);
  private static final int BETWEEN_KILLS = 2_000;

  @TempDir static Path folder;
  private static Brokers brokers;

  @BeforeAll
  static void open() throws Exception {
    Map<String, String> settings =
        Map.of("default.replication.factor", "3", "min.insync.replicas", "2");
    brokers = Brokers.start(folder, NODES, settings);
  }

  @AfterAll
  static void close() throws Exception {
    brokers.close();
  }

  @Test
  void brokersKilledUnderLoad_everyAlertIsAcknowledgedAndHasOneEffect() throws Exception {
    try (EdgeFixture edge = EdgeFixture.serving(brokers.bootstrap(), Map.of())) {
      AckedOnce load = new AckedOnce(edge);
      try (load) {
        for (int kill = 0; kill < KILLS; kill++) {
          load.awaitMore(BETWEEN_KILLS);
          int node = 2 + kill % (NODES - 1);
          brokers.kill(node);
          load.awaitMore(BETWEEN_KILLS); // the two that are left take on
          brokers.revive(node);
          awaitInSync(edge);
        }
      }
      int twice = load.verify();
      System.out.printf(
          "brokers killed %d times: %d alerts acknowledged, each counts once, %d stand on the log twice%n",
          KILLS, load.acknowledged.get(), twice);
      assertThat(edge.gauge("tocsin.edge.in.flight.alerts")).isZero();
    }
  }

  @Test
  void tooFewReplicas_areUnavailableAtTheDeliveryTimeout_andItWorksOnceTheyAreBack()
      throws Exception {
    Map<String, String> settings =
        Map.of("kafka.delivery.timeout.ms", "6000", "kafka.request.timeout.ms", "2000");
    try (EdgeFixture edge = EdgeFixture.serving(brokers.bootstrap(), settings)) {
      Acks<AlertMessage, AlertAck> acks = new Acks<>(true);
      var requests = edge.streams().streamAlerts(acks);
      brokers.stop(2);
      brokers.stop(3);
      try {
        for (int i = 0; i < 100; i++) {
          requests.onNext(Alerts.of("few-" + i, i));
        }
        acks.awaitReceived(100);
        assertThat(acks.received)
            .hasSize(100)
            .allMatch(a -> a.getStatus() == AlertAck.Status.UNAVAILABLE && a.hasRetryAfter());
        Awaitility.await()
            .atMost(Duration.ofSeconds(30))
            .untilAsserted(
                () ->
                    assertThat(edge.health.problems().get(LogWatch.CONDITION))
                        .contains("1 replicas in sync of the 2", "min.insync.replicas"));
        assertUnavailable(edge);
        assertThat(edge.gauge("tocsin.edge.in.flight.alerts")).isZero();
      } finally {
        brokers.goOn(2);
        brokers.goOn(3);
      }
      edge.awaitServing();
      requests.onNext(Alerts.of("again", 1));
      requests.onCompleted();
      assertThat(acks.awaitEnd()).isEqualTo(Status.OK);
      assertThat(acks.received.get(100).getStatus()).isEqualTo(AlertAck.Status.ACCEPTED);
      assertThat(edge.count("tocsin.edge.producers")).as("it is of use still").isEqualTo(1);
    }
  }

  private static void assertUnavailable(EdgeFixture edge) {
    StatusRuntimeException error =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> edge.calls().submitAlert(Alerts.alert("nowhere").build()));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(StatusProto.fromThrowable(error).getDetails(0).is(RetryInfo.class)).isTrue();
  }

  private static void awaitInSync(EdgeFixture edge) {
    String log = edge.topics.log();
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers.bootstrap()))) {
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .ignoreExceptions()
          .until(
              () ->
                  admin
                      .describeTopics(List.of(log))
                      .allTopicNames()
                      .get()
                      .get(log)
                      .partitions()
                      .stream()
                      .allMatch(partition -> partition.isr().size() == NODES));
    }
  }
}
