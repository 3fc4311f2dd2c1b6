package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Stamper;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.FieldViolation;
import dev.tocsin.schemas.Alert;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.statistics.Statistics;

/** What holds for any alert that a client could send. */
final class AlertPropertiesTest {
  private static final long NOW_MS = 1_795_000_000_000L;

  private final Stamper stamper = new Stamper(DefaultRules.read());

  @Property(tries = 500)
  void anyAlert_getsViolationsOrIsReadBackFromTheLogAsItWasSent(
      @ForAll("alerts") AlertMessage alert) {
    List<FieldViolation> faults = check(alert);

    Statistics.collect(faults.isEmpty());
    Statistics.coverage(
        seen -> {
          seen.check(true).percentage(share -> share > 10);
          seen.check(false).percentage(share -> share > 10);
        });
    if (faults.isEmpty()) {
      Alert read = roundTrip(alert);
      assertThat(read.getTitle()).isEqualTo(alert.getTitle());
      assertThat(read.getSource()).isEqualTo(alert.getSource());
      assertThat(read.getLabels()).isEqualTo(alert.getLabelsMap());
      assertThat(read.getAnnotations()).isEqualTo(alert.getAnnotationsMap());
      assertThat(read.getAffectedResources()).isEqualTo(alert.getAffectedResourcesList());
      assertThat(read.getFiredAtMs()).isBetween(946_684_800_000L, NOW_MS + 86_400_000 + 999);
    } else {
      assertThat(faults).hasSizeLessThanOrEqualTo(Violations.LISTED_MAX + 1);
      assertThat(faults).allSatisfy(f -> assertThat(f.getDescription()).isNotBlank());
      assertThat(Violations.status(faults).getStatus().getCode())
          .isEqualTo(io.grpc.Status.Code.INVALID_ARGUMENT);
    }
  }

  @Property(tries = 200)
  void anyBytes_thatParseAsAnAlertAreCheckedWithoutAnException(@ForAll byte[] bytes) {
    try {
      assertThat(check(AlertMessage.parseFrom(bytes))).isNotNull();
    } catch (com.google.protobuf.InvalidProtocolBufferException e) {
      assertThat(e).hasMessageNotContaining("null"); // the transport refuses these
    }
  }

  @Provide
  Arbitrary<AlertMessage> alerts() {
    Arbitrary<String> text =
        Arbitraries.oneOf(
            Arbitraries.strings().alpha().ofMaxLength(20),
            Arbitraries.strings().ofMaxLength(30).filter(AlertPropertiesTest::isUnicode),
            Arbitraries.of("", " ", "\0", "x".repeat(300), "😀".repeat(520), "y".repeat(17_000)));
    Arbitrary<String> plain =
        Arbitraries.strings().ofMinLength(1).ofMaxLength(9).filter(AlertPropertiesTest::isPlain);
    Arbitrary<String> mostlyPlain = Arbitraries.frequencyOf(Tuple.of(9, plain), Tuple.of(1, text));
    Arbitrary<Map<String, String>> pairs =
        Arbitraries.frequencyOf(
            Tuple.of(9, Arbitraries.maps(plain, plain).ofMaxSize(9)),
            Tuple.of(1, Arbitraries.maps(text, text).ofMaxSize(70)));
    Arbitrary<List<String>> names = mostlyPlain.list().ofMaxSize(3);
    Arbitrary<Integer> numbers =
        Arbitraries.frequencyOf(
            Tuple.of(9, Arbitraries.integers().between(0, 5)),
            Tuple.of(1, Arbitraries.integers().between(-1, 9)));
    Arbitrary<Timestamp> times =
        Combinators.combine(
                Arbitraries.oneOf(
                    Arbitraries.longs().between(946_684_000, NOW_MS / 1000 + 90_000),
                    Arbitraries.longs()),
                Arbitraries.oneOf(
                    Arbitraries.integers().between(0, 999_999_999), Arbitraries.integers()))
            .as((s, n) -> Timestamp.newBuilder().setSeconds(s).setNanos(n).build());
    return Combinators.combine(
            text, mostlyPlain, mostlyPlain, numbers, numbers, pairs, names, times)
        .as(
            (id, source, title, severity, type, labels, resources, time) -> {
              AlertMessage.Builder alert =
                  AlertMessage.newBuilder()
                      .setAlertId(id)
                      .setSource(source)
                      .setTitle(title)
                      .setSeverityValue(severity)
                      .setTypeValue(type)
                      .putAllLabels(labels)
                      .putAllAnnotations(labels)
                      .addAllAffectedResources(resources);
              return (severity % 2 == 0 ? alert : alert.setFiredAt(time)).build();
            });
  }

  private static boolean isPlain(String text) {
    return isUnicode(text) && !text.isBlank() && text.indexOf('\0') < 0;
  }

  private static boolean isUnicode(String text) {
    return text.codePoints().noneMatch(c -> Character.getType(c) == Character.SURROGATE);
  }

  private static List<FieldViolation> check(AlertMessage alert) {
    return AlertValidator.check(alert, NOW_MS, Violations.LISTED_MAX);
  }

  private Alert roundTrip(AlertMessage alert) {
    return RoundTrip.of(stamper, alert, NOW_MS);
  }
}
