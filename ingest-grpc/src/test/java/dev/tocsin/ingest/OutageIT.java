package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.RetryInfo;
import dev.tocsin.broker.BrokerProcess;
import dev.tocsin.engine.DefaultRules;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.HealthCheckRequest;
import dev.tocsin.proto.alerts.HealthStatus;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.WriterSchema;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.StatusProto;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The log away, slow, or not as it must be. */
final class OutageIT {
  @TempDir Path folder;

  @Test
  void edgeWithoutABroker_refusesAtOnceAndServesWhenItComes() throws Exception {
    int port = freePort();
    String prefix = "t" + UUID.randomUUID();
    try (EdgeFixture edge = EdgeFixture.withoutLog("127.0.0.1:" + port, prefix, Map.of())) {
      assertUnavailableAtOnce(edge);
      assertThat(serving(edge)).isEqualTo(ServingStatus.NOT_SERVING);
      assertThat(edge.calls().healthCheck(HealthCheckRequest.getDefaultInstance()).getStatus())
          .isEqualTo(HealthStatus.HEALTH_STATUS_UNHEALTHY);
      Awaitility.await()
          .atMost(Duration.ofSeconds(10))
          .untilAsserted(
              () ->
                  assertThat(edge.health.problems())
                      .hasEntrySatisfying(
                          LogWatch.CONDITION, p -> assertThat(p).contains("broker")));

      try (BrokerProcess broker = BrokerProcess.start(folder, port, Optional.empty())) {
        Awaitility.await()
            .atMost(Duration.ofSeconds(20))
            .untilAsserted(
                () ->
                    assertThat(edge.health.problems())
                        .containsEntry(LogWatch.CONDITION, "there is no topic " + prefix + ".log"));
        EdgeFixture.createLog(
            broker.bootstrap(), prefix, Map.of("max.message.bytes", Integer.toString(6 << 20)));
        edge.awaitServing();
        assertThat(serving(edge)).isEqualTo(ServingStatus.SERVING);
        assertThat(edge.calls().submitAlert(Alerts.alert("at last").build()).getStatus())
            .isEqualTo(AlertAck.Status.ACCEPTED);
      }
    }
  }

  @Test
  void stoppedBroker_blocksNobodyAndWorksAgainAfterwards() throws Exception {
    Map<String, String> settings =
        Map.of("kafka.delivery.timeout.ms", "4000", "kafka.request.timeout.ms", "2000");
    try (BrokerProcess broker = BrokerProcess.start(folder, 0, Optional.empty());
        EdgeFixture edge = EdgeFixture.serving(broker.bootstrap(), settings)) {
      Acks<AlertMessage, AlertAck> acks = new Acks<>(true);
      var requests = edge.streams().streamAlerts(acks);
      requests.onNext(Alerts.of("before", 0));
      acks.awaitReceived(1);

      signal(broker, "STOP");
      long stoppedNanos = System.nanoTime();
      try {
        for (int i = 0; i < 3000; i++) { // more than one stream may have open
          requests.onNext(Alerts.of("during-" + i, i));
        }
        while (secondsSince(stoppedNanos) < 3) { // nobody waits for the log on a thread of gRPC
          long asked = System.nanoTime();
          edge.calls().healthCheck(HealthCheckRequest.getDefaultInstance());
          assertThat(secondsSince(asked)).isLessThan(1.0);
        }
        acks.awaitReceived(1001);
        assertThat(secondsSince(stoppedNanos)).isBetween(3.5, 8.0);
        assertThat(acks.received.stream().skip(1).toList()) // more come meanwhile
            .allMatch(a -> a.getStatus() == AlertAck.Status.UNAVAILABLE && a.hasRetryAfter());
        Awaitility.await()
            .atMost(Duration.ofSeconds(15))
            .untilAsserted(() -> assertUnavailableAtOnce(edge));
      } finally {
        signal(broker, "CONT");
      }
      requests.onCompleted();
      assertThat(acks.awaitEnd()).isEqualTo(Status.OK);
      assertThat(acks.received).hasSize(3001);
      assertThat(edge.gauge("tocsin.edge.in.flight.alerts")).isZero();
      assertThat(edge.gauge("tocsin.edge.in.flight.bytes")).isZero();
      edge.awaitServing();
      Awaitility.await() // the producer looks once more whether the log is there
          .atMost(Duration.ofSeconds(15))
          .ignoreException(StatusRuntimeException.class)
          .until(
              () ->
                  edge.calls().submitAlert(Alerts.alert("again").build()).getStatus()
                      == AlertAck.Status.ACCEPTED);
    }
  }

  @Test
  void noRoomToBuffer_blocksNoThreadOfGrpc_holdsWhatItMay_andIsFastAgainAfterwards()
      throws Exception {
    int inFlightMax = 2000;
    double blockMaxSeconds = 8; // of the producer: whoever waited for it would be seen
    Map<String, String> settings =
        Map.of(
            "kafka.buffer.memory", "1048576",
            "kafka.max.block.ms", "8000",
            "kafka.delivery.timeout.ms", "4000",
            "kafka.request.timeout.ms", "2000",
            "edge.in-flight-alerts-max", Integer.toString(inFlightMax));
    try (BrokerProcess broker = BrokerProcess.start(folder, 0, Optional.empty());
        EdgeFixture edge = EdgeFixture.serving(broker.bootstrap(), settings)) {
      List<Acks<AlertMessage, AlertAck>> streams = new ArrayList<>();
      signal(broker, "STOP");
      try {
        for (int stream = 0; stream < 4; stream++) {
          Acks<AlertMessage, AlertAck> acks = new Acks<>(true);
          streams.add(acks);
          edge.streams().streamAlerts(acks);
          for (int i = 0; i < 1000; i++) {
            acks.call.onNext(Alerts.alert("full-" + i).setDescription("x".repeat(1000)).build());
          }
        }
        for (int asked = 0; asked < 100; asked++) {
          long askedNanos = System.nanoTime();
          assertInvalidIsToldSo(edge);
          assertThat(secondsSince(askedNanos)).isLessThan(blockMaxSeconds / 2);
          assertThat(edge.gauge("tocsin.edge.in.flight.alerts")).isLessThanOrEqualTo(inFlightMax);
          LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        }
        for (Acks<AlertMessage, AlertAck> acks : streams) {
          assertThat(acks.awaitReceived(1000).received)
              .hasSize(1000)
              .allMatch(a -> a.getStatus() == AlertAck.Status.UNAVAILABLE && a.hasRetryAfter());
        }
      } finally {
        signal(broker, "CONT");
      }
      awaitAccepted(edge);
      assertThat(edge.gauge("tocsin.edge.in.flight.alerts")).isZero();
      assertThat(edge.gauge("tocsin.edge.in.flight.bytes")).isZero();
      Acks<AlertMessage, AlertAck> burst = new Acks<>(true);
      edge.streams().streamAlerts(burst);
      for (int i = 0; i < 5000; i++) {
        burst.call.onNext(Alerts.of("burst-" + i, i));
      }
      assertThat(burst.awaitReceived(5000).received)
          .hasSize(5000)
          .allMatch(a -> a.getStatus() == AlertAck.Status.ACCEPTED);
      assertThat(edge.count("tocsin.edge.producers")).as("without a new one").isEqualTo(1);
    }
  }

  /** Health says it too, but a moment before or after. */
  private static void awaitAccepted(EdgeFixture edge) {
    Awaitility.await()
        .atMost(Duration.ofMinutes(1))
        .ignoreException(StatusRuntimeException.class)
        .until(
            () ->
                edge.calls().submitAlert(Alerts.alert("again").build()).getStatus()
                    == AlertAck.Status.ACCEPTED);
  }

  private static void assertInvalidIsToldSo(EdgeFixture edge) {
    StatusRuntimeException error =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> edge.calls().submitAlert(AlertMessage.getDefaultInstance()));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void logThatTakesLessThanIsSent_isSaidAndNotServed() throws Exception {
    String prefix = "t" + UUID.randomUUID();
    EdgeFixture.createLog(SharedBroker.bootstrap(), prefix, Map.of("max.message.bytes", "1000000"));
    try (EdgeFixture edge = EdgeFixture.withoutLog(SharedBroker.bootstrap(), prefix, Map.of())) {
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(
              () -> {
                assertThat(edge.health.problems().get(LogWatch.CONDITION))
                    .contains("max.message.bytes", "1000000", "5242880");
                assertThat(refusal(edge)).isEqualTo(Status.Code.FAILED_PRECONDITION);
              });
    }
  }

  @Test
  void edge_servesOnlyOnceItsSchemaIsPublished() throws Exception {
    String broker = SharedBroker.bootstrap();
    String prefix = "t" + UUID.randomUUID();
    EdgeFixture.createLogAlone(broker, prefix, Map.of("max.message.bytes", "6291456"));
    EdgeFixture.publish(broker, prefix, DefaultRules.read());
    try (EdgeFixture edge = EdgeFixture.withoutLog(broker, prefix, Map.of())) {
      Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(
              () ->
                  assertThat(edge.health.problems().get(LogProducer.CONDITION))
                      .contains("there is no topic " + prefix + ".schemas"));
      EdgeFixture.createSchemas(broker, prefix);
      edge.awaitServing();
      WriterSchema written = WriterSchema.of(LogEntry.class);
      assertThat(EdgeFixture.schemas(broker, prefix))
          .singleElement()
          .satisfies(record -> assertThat(record.key()).isEqualTo(written.key()))
          .satisfies(record -> assertThat(record.value()).isEqualTo(written.json()));
    }
    try (EdgeFixture another = EdgeFixture.withoutLog(broker, prefix, Map.of())) {
      another.awaitServing();
      assertThat(EdgeFixture.schemas(broker, prefix)).as("once for all").hasSize(1);
    }
  }

  @Test
  void closedEdge_answersWhatItTookAndEndsItsStreams() throws Exception {
    EdgeFixture edge = EdgeFixture.serving(SharedBroker.bootstrap(), Map.of());
    Acks<AlertMessage, AlertAck> acks = new Acks<>(true);
    var requests = edge.streams().streamAlerts(acks);
    for (int i = 0; i < 500; i++) {
      requests.onNext(Alerts.of("closing-" + i, i));
    }
    acks.awaitReceived(1);
    edge.edge.close();

    assertThat(acks.awaitEnd().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    List<String> acknowledged =
        acks.received.stream()
            .filter(a -> a.getStatus() == AlertAck.Status.ACCEPTED)
            .map(AlertAck::getAlertId)
            .toList();
    assertThat(edge.log())
        .extracting(l -> l.alert().getAlertId())
        .containsExactlyInAnyOrderElementsOf(acknowledged);
    assertUnavailableAtOnce(edge);
    assertThat(serving(edge)).isEqualTo(ServingStatus.NOT_SERVING);
    edge.close();
  }

  private static void assertUnavailableAtOnce(EdgeFixture edge) throws IOException {
    var unused = refusal(edge); // a client's first call is slow by itself
    long asked = System.nanoTime();
    StatusRuntimeException error =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> edge.calls().submitAlert(Alerts.alert("nowhere").build()));
    assertThat(secondsSince(asked)).isLessThan(1.0);
    assertThat(error).isNotNull();
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(StatusProto.fromThrowable(error).getDetails(0).is(RetryInfo.class)).isTrue();
  }

  private static Status.Code refusal(EdgeFixture edge) {
    return catchThrowableOfType(
            StatusRuntimeException.class,
            () -> edge.calls().submitAlert(Alerts.alert("nowhere").build()))
        .getStatus()
        .getCode();
  }

  private static ServingStatus serving(EdgeFixture edge) {
    return HealthGrpc.newBlockingStub(edge.channel)
        .check(
            io.grpc.health.v1.HealthCheckRequest.newBuilder()
                .setService("alerts.AlertIngestion")
                .build())
        .getStatus();
  }

  private static void signal(BrokerProcess broker, String signal) throws Exception {
    Process kill =
        new ProcessBuilder("sh", "-c", "kill -" + signal + " " + broker.pid()).inheritIO().start();
    assertThat(kill.waitFor(5, TimeUnit.SECONDS)).isTrue();
    assertThat(kill.exitValue()).isZero();
  }

  private static double secondsSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e9;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
