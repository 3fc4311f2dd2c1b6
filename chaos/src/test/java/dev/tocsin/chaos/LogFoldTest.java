package dev.tocsin.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.alerts.Position;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Severity;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

class LogFoldTest {
  private static final Codec<LogEntry> ENTRIES = Codec.of(LogEntry.class);
  private static final int PARTITION = 2;

  private final Group group = new Group(1, 1);

  @Test
  void alerts_areWhereTheirAcksSay() {
    acked(Step.Kind.FIRING, "a", 0, 0);
    acked(Step.Kind.FIRING, "b", 0, 1);
    acked(Step.Kind.RESOLVED, "a", 1, 0);

    LogFold fold = fold(entry(firing("a"), firing("b")), entry(alert("a", AlertStatus.ENDED)));

    assertThat(fold.faults()).isEmpty();
    assertThat(fold.applied()).isEqualTo(2);
    assertThat(fold.store().digest().incidents()).isEqualTo(1);
    assertThat(fold.eventCount()).isPositive();
    assertThat(fold.event(0).getSequence()).isEqualTo(1);
  }

  @Test
  void alertElsewhereThanItsAckSays_isAFault() {
    acked(Step.Kind.FIRING, "a", 0, 1);
    acked(Step.Kind.FIRING, "b", 0, 2);
    acked(Step.Kind.RESOLVED, "a", 0, 0);

    assertThat(fold(entry(firing("a"), firing("b"))).faults()).hasSize(3);
  }

  @Test
  void alertThatIsNotOnTheLog_isAFault() {
    acked(Step.Kind.FIRING, "a", 7, 0);

    assertThat(fold(entry(firing("a"))).faults()).hasSize(1);
  }

  @Test
  void damagedRecords_areToldByTheirOffsets() {
    LogFold fold = new LogFold(PARTITION, List.of());
    for (RawLog.Damage damage : RawLog.Damage.values()) {
      fold.take(record(2 * fold.applied() + 1, RawLog.bytes(damage)));
    }

    assertThat(fold.undecodable()).containsExactly(1L, 5L, 13L, 29L);
  }

  private void acked(Step.Kind kind, String id, long offset, int index) {
    group.record(
        new Step(kind, 0, id, 1)
            .done(
                Position.newBuilder()
                    .setPartition(PARTITION)
                    .setOffset(offset)
                    .setIndex(index)
                    .build()),
        1);
  }

  private LogFold fold(byte[]... entries) {
    LogFold fold = new LogFold(PARTITION, List.of(group));
    Arrays.stream(entries).forEach(each -> fold.take(record(fold.applied(), each)));
    return fold;
  }

  private static ConsumerRecord<byte[], byte[]> record(long offset, byte[] value) {
    return new ConsumerRecord<>("log", PARTITION, offset, null, value);
  }

  private static byte[] entry(Alert... alerts) {
    return ENTRIES.encode(LogEntries.of(new Alerts(1, List.of(alerts))));
  }

  private Alert firing(String id) {
    return alert(id, AlertStatus.FIRING);
  }

  private Alert alert(String id, AlertStatus status) {
    return Alert.newBuilder()
        .setWorkspace("default")
        .setSource(group.source())
        .setAlertId(id)
        .setStatus(status)
        .setTitle("condition 0")
        .setSeverity(Severity.P4)
        .setType(IncidentType.APPLICATION)
        .setFingerprint(new Key128(new byte[16]))
        .setGroup(new Key128(new byte[16]))
        .setRoute(0)
        .setFiredAtMs(1)
        .build();
  }
}
