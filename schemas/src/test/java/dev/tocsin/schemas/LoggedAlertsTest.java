package dev.tocsin.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;

/** What is read of entries of alerts without reading them whole, against {@link Codec}. */
class LoggedAlertsTest {
  private static final Codec<LogEntry> CODEC = Codec.of(LogEntry.class);

  @Test
  void schema_hasTheFieldsThatAreReadOneAfterAnother() {
    assertThat(Alert.getClassSchema().getFields().stream().map(Schema.Field::name))
        .containsExactly(
            "workspace",
            "source",
            "alertId",
            "status",
            "fingerprint",
            "group",
            "route",
            "receipt",
            "title",
            "description",
            "severity",
            "type",
            "labels",
            "annotations",
            "affectedResources",
            "firedAtMs",
            "endsAtMs",
            "receivedAtMs",
            "rule",
            "suppressed");
  }

  @Property(tries = 300)
  void read_isWhatTheCodecReads(@ForAll long seed) {
    List<Alert> alerts = alerts(seed);
    Optional<LoggedAlerts> read =
        AlertsEntry.read(
            AlertsEntry.join((int) seed, alerts.stream().map(AlertsEntry::encode).toList()));
    assertThat(read).isPresent();
    assertSame(read.get(), new Alerts((int) seed, alerts));
  }

  @Property(tries = 2_000)
  void read_neverTakesWhatTheCodecReadsOtherwise(@ForAll long seed) {
    Random random = new Random(seed);
    byte[] entry = AlertsEntry.join(1, alerts(seed).stream().map(AlertsEntry::encode).toList());
    for (int i = random.nextInt(4); i >= 0; i--) {
      entry[random.nextInt(entry.length)] = (byte) random.nextInt();
    }
    if (random.nextInt(4) == 0) {
      entry = Arrays.copyOf(entry, random.nextInt(entry.length));
    }
    Optional<LoggedAlerts> read = AlertsEntry.read(entry);
    if (read.isPresent()) {
      assertSame(read.get(), (Alerts) CODEC.decode(entry).getPayload());
    }
  }

  @Test
  void read_leavesOtherEntriesToTheCodec() {
    assertThat(AlertsEntry.read(null)).isEmpty();
    assertThat(AlertsEntry.read(new byte[0])).isEmpty();
    assertThat(AlertsEntry.read(CODEC.encode(LogEntries.tick()))).isEmpty();
    assertThat(AlertsEntry.read(CODEC.encode(LogEntries.of(new Alerts(1, List.of()))))).isEmpty();
  }

  @Test
  void read_takesNoLengthForItsWord() {
    byte[] entry = AlertsEntry.join(1, List.of(AlertsEntry.encode(alerts(1).get(0))));
    byte[] huge = {(byte) 0xFE, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x0F};
    for (int at = 10; at + huge.length < entry.length; at++) {
      byte[] damaged = entry.clone();
      System.arraycopy(huge, 0, damaged, at, huge.length);
      Optional<LoggedAlerts> read = AlertsEntry.read(damaged);
      if (read.isPresent()) {
        assertSame(read.get(), (Alerts) CODEC.decode(damaged).getPayload());
      }
    }
  }

  private static List<Alert> alerts(long seed) {
    return new ArrayList<>(
        LongStream.rangeClosed(0, Math.floorMod(seed, 5))
            .mapToObj(i -> Samples.random(Alert.class, seed + i))
            .toList());
  }

  private static void assertSame(LoggedAlerts read, Alerts whole) {
    assertThat(read.rulesVersion()).isEqualTo(whole.getRulesVersion());
    assertThat(read.alerts()).hasSameSizeAs(whole.getAlerts());
    for (int i = 0; i < read.alerts().size(); i++) {
      LoggedAlert alert = read.alerts().get(i);
      Alert expected = whole.getAlerts().get(i);
      assertThat(alert.status()).isEqualTo(expected.getStatus());
      assertThat(alert.fingerprint()).isEqualTo(expected.getFingerprint());
      assertThat(alert.group()).isEqualTo(expected.getGroup());
      assertThat(alert.receipt()).isEqualTo(expected.getReceipt());
      assertThat(alert.severity()).isEqualTo(expected.getSeverity());
      assertThat(alert.firedAtMs()).isEqualTo(expected.getFiredAtMs());
      assertThat(alert.endsAtMs()).isEqualTo(expected.getEndsAtMs());
      assertThat(alert.rule()).isEqualTo(expected.getRule());
      assertThat(alert.suppressed()).isEqualTo(expected.getSuppressed());
      assertThat(alert.whole()).isEqualTo(expected);
    }
  }
}
