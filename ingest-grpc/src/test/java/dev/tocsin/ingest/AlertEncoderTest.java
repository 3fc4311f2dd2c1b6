package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Stamper;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.AlertsEntry;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Severity;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class AlertEncoderTest {
  private static final long RECEIVED_MS = 1_795_000_000_123L;

  private final Stamper stamper = new Stamper(DefaultRules.read());

  @Test
  void encode_carriesEveryFieldAndTheStampersKeys() {
    AlertMessage sent =
        Alerts.alert("id-1")
            .putAnnotations("a", "b")
            .addAffectedResources("r")
            .setDedupKey("key")
            .setStatus(AlertMessage.Status.RESOLVED)
            .setFiredAt(Timestamp.newBuilder().setSeconds(1_700_000_000).setNanos(5_999_999))
            .setEndsAt(Timestamp.newBuilder().setSeconds(1_700_000_100))
            .build();

    AlertEncoder.Encoded encoded = AlertEncoder.encode(stamper, sent, "id-1", "team", RECEIVED_MS);

    Alert read = decode(encoded);
    Alert expected = new Alert();
    expected.setWorkspace("team");
    expected.setSource("test");
    expected.setAlertId("id-1");
    expected.setStatus(AlertStatus.ENDED);
    expected.setTitle("disk full");
    expected.setDescription("no room left on /var");
    expected.setSeverity(Severity.P2);
    expected.setType(IncidentType.INFRASTRUCTURE);
    expected.setLabels(sent.getLabelsMap());
    expected.setAnnotations(sent.getAnnotationsMap());
    expected.setAffectedResources(List.of("r"));
    expected.setFiredAtMs(1_700_000_000_005L);
    expected.setEndsAtMs(1_700_000_100_000L);
    expected.setReceivedAtMs(RECEIVED_MS);
    stamper.stamp(expected, "key", true);
    assertThat(read).isEqualTo(expected);
    assertThat(encoded.route()).isEqualTo(expected.getRoute());
    assertThat(encoded.fingerprint()).isEqualTo(expected.getFingerprint());
  }

  @Test
  void encode_fillsInWhatIsLeftOut() {
    AlertMessage sent = AlertMessage.newBuilder().setSource("s").setTitle("t").build();

    Alert read = decode(AlertEncoder.encode(stamper, sent, "made", "default", RECEIVED_MS));

    assertThat(read.getAlertId()).isEqualTo("made");
    assertThat(read.getReceipt()).isNull();
    assertThat(read.getFiredAtMs()).isEqualTo(RECEIVED_MS);
    assertThat(read.getEndsAtMs()).isZero();
    assertThat(read.getSeverity()).isEqualTo(Severity.P3); // the rules' default
    assertThat(read.getType()).isEqualTo(IncidentType.UNKNOWN);
  }

  @Test
  void alertId_isTheAlertsOwnOrANewOneEachTime() {
    AlertMessage anonymous = AlertMessage.getDefaultInstance();

    assertThat(AlertEncoder.alertId(Alerts.alert("own").build())).isEqualTo("own");
    assertThat(AlertEncoder.alertId(anonymous)).isNotEqualTo(AlertEncoder.alertId(anonymous));
  }

  @ParameterizedTest
  @EnumSource(names = "UNRECOGNIZED", mode = EnumSource.Mode.EXCLUDE)
  void encode_keepsEverySeverity(dev.tocsin.proto.alerts.Severity severity) {
    AlertMessage sent = Alerts.alert("a").setSeverity(severity).build();

    Severity expected =
        severity == dev.tocsin.proto.alerts.Severity.SEVERITY_UNSPECIFIED
            ? Severity.P3 // the rules' default
            : Severity.valueOf(severity.name().substring("SEVERITY_".length()));
    assertThat(decode(AlertEncoder.encode(stamper, sent, "a", "w", RECEIVED_MS)).getSeverity())
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource(names = "UNRECOGNIZED", mode = EnumSource.Mode.EXCLUDE)
  void encode_keepsEveryType(dev.tocsin.proto.alerts.IncidentType type) {
    AlertMessage sent = Alerts.alert("a").setType(type).build();

    String name = type.name().substring("INCIDENT_TYPE_".length());
    assertThat(decode(AlertEncoder.encode(stamper, sent, "a", "w", RECEIVED_MS)).getType())
        .isEqualTo(name.equals("UNSPECIFIED") ? IncidentType.UNKNOWN : IncidentType.valueOf(name));
  }

  private static Alert decode(AlertEncoder.Encoded encoded) {
    byte[] entry = AlertsEntry.join(1, List.of(encoded.bytes()));
    var alerts = (dev.tocsin.schemas.Alerts) Codec.of(LogEntry.class).decode(entry).getPayload();
    return alerts.getAlerts().get(0);
  }
}
