package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.FlappingRule;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Tally;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * What the engine makes of one fixed log of groups that come and go. As with {@link
 * GoldenDigestTest}, a difference takes a new engine version.
 */
class GoldenFlappingTest {
  private static final long[] JUMPS_MS = {0, 0, 1, 400, 1000, 3000, 3000, 20_000, 90_000, -500};
  private static final int ENTRIES = 2000;

  private final Random random = new Random(20251124); // its algorithm is part of Java's
  private final MemoryStore store = new MemoryStore();
  private final DigestSum lives = new DigestSum();
  private int flapping;
  private long nowMs = Log.START_MS;

  @Test
  void digests_areThoseOfVersion3() throws IOException {
    Fold fold =
        new Fold(
            store,
            event -> {
              flapping += event.getIncident().getFlapping() ? 1 : 0;
              lives.add(
                  event.getIncident(),
                  Tally.newBuilder()
                      .setOccurrences(event.getOccurrences())
                      .setLastSeenMs(event.getLastSeenMs())
                      .build());
            });
    for (int offset = 0; offset < ENTRIES; offset++) {
      nowMs += JUMPS_MS[random.nextInt(JUMPS_MS.length)];
      fold.apply(entry(offset), offset, nowMs);
    }
    DigestSum digest = store.digest();
    assertThat(
            "3 %s %s %d %s %s %d %d"
                .formatted(
                    digest.content(),
                    digest.exact(),
                    digest.incidents(),
                    lives.content(),
                    lives.exact(),
                    lives.incidents(),
                    flapping))
        .isEqualTo(GoldenDigestTest.golden("/golden-digests/3-flapping.txt"));
    assertThat(flapping).isPositive();
  }

  private LogEntry entry(int offset) {
    if (offset == 0) {
      Rules rules = World.brisk(1);
      rules.setFlapping(new FlappingRule(3, 120_000L));
      LogEntry first = LogEntries.of(new RulesActivated(rules));
      first.setEngineActivated(3);
      return first;
    }
    List<Incident> incidents = List.copyOf(store.incidents());
    if (random.nextInt(20) == 0 && !incidents.isEmpty()) {
      return LogEntries.of(
          Ask.move(
              "r" + offset,
              incidents.get(random.nextInt(incidents.size())),
              random.nextBoolean() ? IncidentState.RESOLVED : IncidentState.INVESTIGATING));
    }
    return LogEntries.of(new Alerts(1, alerts()));
  }

  private List<Alert> alerts() {
    List<Alert> alerts = new ArrayList<>();
    for (int left = 1 + random.nextInt(2); left > 0; left--) {
      alerts.add(
          new Sighting(
                  "c" + random.nextInt(2),
                  "g" + random.nextInt(5),
                  random.nextBoolean() ? AlertStatus.ENDED : AlertStatus.FIRING,
                  List.of(Severity.P1, Severity.P3, Severity.P3).get(random.nextInt(3)),
                  "",
                  "",
                  -1,
                  random.nextInt(6) == 0 ? nowMs + 100L * random.nextInt(100) : 0)
              .alert(nowMs));
    }
    return alerts;
  }
}
