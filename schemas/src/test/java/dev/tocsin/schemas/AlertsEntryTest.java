package dev.tocsin.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class AlertsEntryTest {
  private static final Codec<LogEntry> CODEC = Codec.of(LogEntry.class);

  @Property(tries = 300)
  void join_isWhatTheCodecWrites(
      @ForAll int rulesVersion, @ForAll @IntRange(min = 1, max = 20) int count, @ForAll long seed) {
    assertJoined(rulesVersion, count, seed);
  }

  @Test
  void join_isWhatTheCodecWrites_whereTheCountTakesMoreBytes() {
    for (int count : new int[] {63, 64, 8191, 8192}) {
      assertJoined(1, count, 1);
    }
  }

  @Test
  void join_refusesNoAlerts() {
    assertThatThrownBy(() -> AlertsEntry.join(1, List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static void assertJoined(int rulesVersion, int count, long seed) {
    List<Alert> alerts =
        LongStream.range(0, count)
            .mapToObj(i -> Samples.random(Alert.class, seed + i % 50))
            .toList();
    byte[] joined =
        AlertsEntry.join(rulesVersion, alerts.stream().map(AlertsEntry::encode).toList());
    assertThat(joined).isEqualTo(CODEC.encode(LogEntries.of(new Alerts(rulesVersion, alerts))));
  }
}
