package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.alerts.AlertBatch;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.FieldViolation;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class AlertValidatorTest {
  private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
  private static final long AHEAD = NOW.getEpochSecond() + 86_400;

  @Test
  void check_takesAnAlertWithNothingButSourceAndTitle() {
    assertThat(check(AlertMessage.newBuilder().setSource("s").setTitle("t").build())).isEmpty();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void check_takesWhatIsJustWithinItsLimit(String what, Consumer<AlertMessage.Builder> change) {
    assertThat(check(changed(change))).isEmpty();
  }

  static Stream<Arguments> check_takesWhatIsJustWithinItsLimit() {
    return Stream.of(
        change("alert_id", a -> a.setAlertId("x".repeat(256))),
        change("source", a -> a.setSource("x".repeat(256))),
        change("title", a -> a.setTitle("x".repeat(1024))),
        change("title of two chars a character", a -> a.setTitle("😀".repeat(1024))),
        change("description", a -> a.setDescription("x".repeat(16_384))),
        change("dedup_key", a -> a.setDedupKey("x".repeat(512))),
        change("label key", a -> a.putLabels("k".repeat(128), "")),
        change("label value", a -> a.putLabels("k", "x".repeat(1024))),
        change("labels", a -> fill(a, 62)), // two are there already
        change("annotation value", a -> a.putAnnotations("k", "x".repeat(8192))),
        change("resource", a -> a.addAffectedResources("x".repeat(512))),
        change("resources", a -> resources(a, 128)),
        change("fired_at first", a -> a.setFiredAt(at(946_684_800))),
        change("fired_at last", a -> a.setFiredAt(at(AHEAD))),
        change("ends_at last", a -> a.setEndsAt(at(253_402_300_799L))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void check_namesWhatIsBeyondItsLimit(String path, Consumer<AlertMessage.Builder> change) {
    assertThat(check(changed(change)))
        .singleElement()
        .satisfies(
            violation -> {
              assertThat(violation.getField()).isEqualTo(path);
              assertThat(violation.getDescription()).isNotBlank();
            });
  }

  static Stream<Arguments> check_namesWhatIsBeyondItsLimit() {
    return Stream.of(
        change("alert_id", a -> a.setAlertId("x".repeat(257))),
        change("alert_id", a -> a.setAlertId("a\0b")),
        change("source", a -> a.setSource("")),
        change("source", a -> a.setSource(" \t")),
        change("source", a -> a.setSource("x".repeat(257))),
        change("title", a -> a.setTitle("")),
        change("title", a -> a.setTitle("\n")),
        change("title", a -> a.setTitle("x".repeat(1025))),
        change("title", a -> a.setTitle("😀".repeat(1025))),
        change("title", a -> a.setTitle("a\0")),
        change("description", a -> a.setDescription("x".repeat(16_385))),
        change("severity", a -> a.setSeverityValue(6)),
        change("severity", a -> a.setSeverityValue(-1)),
        change("type", a -> a.setTypeValue(99)),
        change("status", a -> a.setStatusValue(2)),
        change("labels", a -> fill(a, 63)),
        change("labels[\"\"]", a -> a.putLabels("", "v")),
        change("labels[\"" + "k".repeat(64) + "…\"]", a -> a.putLabels("k".repeat(129), "v")),
        change("labels[\"a\\u0000\"]", a -> a.putLabels("a\0", "v")),
        change("labels[\"say \\\"hi\\\"\"]", a -> a.putLabels("say \"hi\"", "\0")),
        change("labels[\"big\"]", a -> a.putLabels("big", "x".repeat(1 << 20))),
        change("annotations[\"\"]", a -> a.putAnnotations("", "v")),
        change("annotations[\"k\"]", a -> a.putAnnotations("k", "x".repeat(8193))),
        change("affected_resources", a -> resources(a, 129)),
        change("affected_resources[1]", a -> a.addAffectedResources("x").addAffectedResources("")),
        change("affected_resources[0]", a -> a.addAffectedResources("x".repeat(513))),
        change("dedup_key", a -> a.setDedupKey("x".repeat(513))),
        change("fired_at", a -> a.setFiredAt(at(0))),
        change("fired_at", a -> a.setFiredAt(at(-1))),
        change("fired_at", a -> a.setFiredAt(at(946_684_799))),
        change("fired_at", a -> a.setFiredAt(at(AHEAD + 1))),
        change("fired_at", a -> a.setFiredAt(at(253_402_300_799L))),
        change("fired_at", a -> a.setFiredAt(at(Long.MAX_VALUE))),
        change("fired_at", a -> a.setFiredAt(at(1_700_000_000).toBuilder().setNanos(-1))),
        change("fired_at", a -> a.setFiredAt(at(1_700_000_000).toBuilder().setNanos(1 << 30))),
        change("ends_at", a -> a.setEndsAt(at(0))),
        change("ends_at", a -> a.setEndsAt(at(253_402_300_800L))));
  }

  @Test
  void check_namesEveryFaultAtOnce() {
    AlertMessage bad =
        AlertMessage.newBuilder()
            .setSeverityValue(17)
            .putLabels("", "\0")
            .setFiredAt(at(0))
            .build();

    assertThat(check(bad))
        .extracting(FieldViolation::getField)
        .containsExactly("source", "title", "severity", "labels[\"\"]", "labels[\"\"]", "fired_at");
  }

  @Test
  void check_ofVeryManyFaultsListsTheFirstAndCountsTheRest() {
    AlertMessage.Builder bad = Alerts.alert("many").clearLabels();
    for (int i = 0; i < 10_000; i++) {
      bad.putLabels("k".repeat(200) + i, "v");
    }

    List<FieldViolation> faults = check(bad.build());

    assertThat(faults).hasSize(Violations.LISTED_MAX + 1);
    assertThat(faults.get(0).getField()).isEqualTo("labels");
    // 10,001 in all: the count of labels, and each key's length
    assertThat(faults.get(Violations.LISTED_MAX).getDescription()).isEqualTo("and 9,901 more");
    assertThat(faults).allSatisfy(f -> assertThat(f.getSerializedSize()).isLessThan(200));
  }

  @Test
  void status_ofVeryManyFaultsFitsIntoTrailers() {
    AlertMessage.Builder bad = Alerts.alert("many").clearLabels();
    for (int i = 0; i < 10_000; i++) {
      bad.putLabels("k".repeat(200) + i, "v");
    }

    var status = io.grpc.protobuf.StatusProto.fromThrowable(Violations.status(check(bad.build())));

    assertThat(status.getSerializedSize()).isLessThan(5 << 10);
  }

  @Test
  void check_ofABatchNamesItsOwnFaults() {
    AlertBatch.Builder batch = AlertBatch.newBuilder().setBatchId("x".repeat(257));
    for (int i = 0; i < 10_001; i++) {
      batch.addAlerts(AlertMessage.getDefaultInstance());
    }

    assertThat(AlertValidator.check(batch.build()))
        .extracting(FieldViolation::getField)
        .containsExactly("batch_id", "alerts");
    assertThat(AlertValidator.check(batch.setBatchId("b").removeAlerts(0).build())).isEmpty();
  }

  private static List<FieldViolation> check(AlertMessage alert) {
    return AlertValidator.check(alert, NOW.toEpochMilli(), Violations.LISTED_MAX);
  }

  private static AlertMessage changed(Consumer<AlertMessage.Builder> change) {
    AlertMessage.Builder alert = Alerts.alert("a");
    change.accept(alert);
    return alert.build();
  }

  private static Arguments change(String what, Consumer<AlertMessage.Builder> change) {
    return Arguments.of(what, change);
  }

  private static void fill(AlertMessage.Builder alert, int labels) {
    for (int i = 0; i < labels; i++) {
      alert.putLabels("k" + i, "v");
    }
  }

  private static void resources(AlertMessage.Builder alert, int count) {
    for (int i = 0; i < count; i++) {
      alert.addAffectedResources("r" + i);
    }
  }

  private static Timestamp at(long seconds) {
    return Timestamp.newBuilder().setSeconds(seconds).build();
  }
}
