package dev.tocsin.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.alerts.AlertMessage;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class StormAlertsTest {
  private static final int COUNT = 50_000;

  @Test
  void alerts_areTheSameForTheSameSeed() {
    StormAlerts one = new StormAlerts(7, "a-");
    StormAlerts other = new StormAlerts(7, "a-");
    for (int i = 0; i < 1_000; i++) {
      assertThat(one.next()).isEqualTo(other.next());
    }
  }

  @Test
  void alerts_areAboutThreeHundredBytes() {
    StormAlerts alerts = new StormAlerts(1, "id-");
    long bytes = 0;
    for (int i = 0; i < COUNT; i++) {
      bytes += alerts.nextNew().getSerializedSize();
    }
    assertThat(bytes / (double) COUNT).isCloseTo(300, Offset.offset(60.0));
  }

  @Test
  void alerts_areSentAgainOnceInTen() {
    StormAlerts alerts = new StormAlerts(1, "id-");
    Set<String> ids = new HashSet<>();
    for (int i = 0; i < COUNT; i++) {
      ids.add(alerts.next().getAlertId());
    }
    assertThat(1 - ids.size() / (double) COUNT).isCloseTo(0.1, Offset.offset(0.01));
  }

  /** Zipf's law of exponent s: the first comes 2^s times as often as the second. */
  @Test
  void conditions_followZipfsLaw() {
    StormAlerts alerts = new StormAlerts(1, "id-");
    Map<String, Integer> counts = new HashMap<>();
    for (int i = 0; i < COUNT; i++) {
      AlertMessage alert = alerts.nextNew();
      counts.merge(alert.getLabelsOrThrow("instance"), 1, Integer::sum);
    }
    double ratio = counts.get("pod-0") / (double) counts.get("pod-1");
    assertThat(ratio).isCloseTo(Math.pow(2, 1.1), Offset.offset(0.15));
  }
}
