package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.Timestamp;
import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Stamper;
import dev.tocsin.proto.alerts.AlertBatch;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.FieldViolation;
import dev.tocsin.proto.alerts.IncidentType;
import dev.tocsin.proto.alerts.Severity;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayInputStream;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever bytes come as a request. A build looks for new ones for a few seconds; {@code ./mvnw
 * test -pl ingest-grpc -am -Dtest=AlertFuzzTest -Dsurefire.failIfNoSpecifiedTests=false
 * -Dfuzz.seconds=600} for longer. What fails is written into {@code
 * src/test/resources/dev/tocsin/ingest/AlertFuzzTestInputs}: committed there, every build tries it.
 */
final class AlertFuzzTest {
  private static final long NOW_MS = 1_795_000_000_000L;
  private static final Stamper STAMPER = new Stamper(DefaultRules.read());

  static Stream<byte[]> seeds() {
    AlertMessage alert =
        AlertMessage.newBuilder()
            .setAlertId("a-1")
            .setSource("prometheus")
            .setTitle("disk full 😀")
            .setDescription("of db-1")
            .setSeverity(Severity.SEVERITY_P1)
            .setType(IncidentType.INCIDENT_TYPE_INFRASTRUCTURE)
            .setStatus(AlertMessage.Status.RESOLVED)
            .setDedupKey("disk/db-1")
            .putLabels("service", "db")
            .putAnnotations("runbook", "https://example.com")
            .addAffectedResources("db-1")
            .setFiredAt(Timestamp.newBuilder().setSeconds(NOW_MS / 1000 - 60).setNanos(7))
            .setEndsAt(Timestamp.newBuilder().setSeconds(NOW_MS / 1000))
            .build();
    AlertBatch batch =
        AlertBatch.newBuilder().setBatchId("b-1").addAlerts(alert).addAlerts(alert).build();
    return Stream.of(new byte[0], alert.toByteArray(), batch.toByteArray());
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "5s")
  void anyBytes_areInvalid_orReadBackFromTheLogAsTheyWereSent(byte[] bytes) {
    parse(AlertIngestionGrpc.getSubmitAlertMethod(), bytes).ifPresent(AlertFuzzTest::take);
    parse(AlertIngestionGrpc.getSubmitAlertsMethod(), bytes).ifPresent(AlertFuzzTest::take);
  }

  /** As the transport does it; what it cannot parse the server makes INVALID_ARGUMENT of. */
  private static <Q> Optional<Q> parse(MethodDescriptor<Q, ?> method, byte[] bytes) {
    try {
      return Optional.of(method.parseRequest(new ByteArrayInputStream(bytes)));
    } catch (StatusRuntimeException e) {
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
      return Optional.empty();
    }
  }

  private static void take(AlertBatch batch) {
    List<FieldViolation> faults = AlertValidator.check(batch);
    if (faults.isEmpty()) {
      batch.getAlertsList().forEach(AlertFuzzTest::take);
    } else {
      assertInvalid(faults);
    }
  }

  private static void take(AlertMessage sent) {
    List<FieldViolation> faults = AlertValidator.check(sent, NOW_MS, Violations.LISTED_MAX);
    if (!faults.isEmpty()) {
      assertInvalid(faults);
      return;
    }
    Alert read = RoundTrip.of(STAMPER, sent, NOW_MS);
    assertThat(read.getSource()).isEqualTo(sent.getSource());
    assertThat(read.getTitle()).isEqualTo(sent.getTitle());
    assertThat(read.getDescription()).isEqualTo(sent.getDescription());
    assertThat(read.getLabels()).isEqualTo(sent.getLabelsMap());
    assertThat(read.getAnnotations()).isEqualTo(sent.getAnnotationsMap());
    assertThat(read.getAffectedResources()).isEqualTo(sent.getAffectedResourcesList());
    assertThat(read.getStatus() == AlertStatus.ENDED)
        .isEqualTo(sent.getStatus() == AlertMessage.Status.RESOLVED);
    assertThat(read.getFiredAtMs()).isEqualTo(sent.hasFiredAt() ? ms(sent.getFiredAt()) : NOW_MS);
    assertThat(read.getEndsAtMs()).isEqualTo(sent.hasEndsAt() ? ms(sent.getEndsAt()) : 0);
    if (!sent.getAlertId().isEmpty()) {
      assertThat(read.getAlertId()).isEqualTo(sent.getAlertId());
    }
  }

  private static long ms(Timestamp time) {
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos()).toEpochMilli();
  }

  private static void assertInvalid(List<FieldViolation> faults) {
    assertThat(Violations.status(faults).getStatus().getCode())
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
  }
}
