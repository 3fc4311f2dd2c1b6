package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
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
 * What the engine makes of one fixed log in which incidents hide others, and people hide and merge
 * them. As with {@link GoldenDigestTest}, a difference takes a new engine version.
 */
class GoldenSteeringTest {
  private static final long[] JUMPS_MS = {0, 0, 1, 400, 3000, 20_000, 60_000, 400_000, -500};
  private static final List<Severity> SEVERITIES =
      List.of(Severity.P0, Severity.P2, Severity.P3, Severity.P4);
  private static final int ENTRIES = 2000;

  private final Random random = new Random(20251125); // its algorithm is part of Java's
  private final MemoryStore store = new MemoryStore();
  private final DigestSum lives = new DigestSum();
  private int inhibited;
  private int silenced;
  private int merged;
  private long nowMs = Log.START_MS;

  @Test
  void digests_areThoseOfVersion3() throws IOException {
    Fold fold =
        new Fold(
            store,
            event -> {
              inhibited += event.getIncident().getInhibitedBy() == null ? 0 : 1;
              silenced += event.getIncident().getSilencedBy() == null ? 0 : 1;
              merged += event.getIncident().getMergedInto() == null ? 0 : 1;
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
            "3 %s %s %d %s %s %d %d %d %d"
                .formatted(
                    digest.content(),
                    digest.exact(),
                    digest.incidents(),
                    lives.content(),
                    lives.exact(),
                    lives.incidents(),
                    inhibited,
                    silenced,
                    merged))
        .isEqualTo(GoldenDigestTest.golden("/golden-digests/3-steering.txt"));
    assertThat(inhibited).isPositive();
    assertThat(silenced).isPositive();
    assertThat(merged).isPositive();
  }

  private LogEntry entry(int offset) {
    if (offset == 0) {
      Rules rules = World.hiding(World.brisk(1));
      rules.setOutcomesMax(1000);
      LogEntry first = LogEntries.of(new RulesActivated(rules));
      first.setEngineActivated(3);
      return first;
    }
    List<Incident> incidents = List.copyOf(store.incidents());
    int what = random.nextInt(20);
    if (what == 0) {
      String request = "q" + random.nextInt(6);
      return random.nextInt(4) == 0
          ? LogEntries.of(Hush.expired("w", request))
          : LogEntries.of(
              Hush.silence(
                  request,
                  nowMs + 1000L * random.nextInt(30),
                  nowMs + 60_000 + 1000L * random.nextInt(600),
                  Hush.source("s-g[0-" + random.nextInt(6) + "]")));
    } else if (what < 4 && !incidents.isEmpty()) {
      Incident one = incidents.get(random.nextInt(incidents.size()));
      Incident other = incidents.get(random.nextInt(incidents.size()));
      return LogEntries.of(
          switch (random.nextInt(4)) {
            case 0 -> Ask.merge("r" + offset, one, other.getId());
            case 1 -> Ask.mergedFrom("r" + offset, one, other.getId());
            case 2 -> Ask.move("r" + offset, one, IncidentState.INVESTIGATING);
            default -> Ask.update("r" + offset, one, asked -> asked.setSeverity(Severity.P3));
          });
    }
    return LogEntries.of(new Alerts(1, alerts()));
  }

  private List<Alert> alerts() {
    List<Alert> alerts = new ArrayList<>();
    for (int left = 1 + random.nextInt(2); left > 0; left--) {
      alerts.add(
          new Sighting(
                  "c" + random.nextInt(2),
                  "g" + random.nextInt(6),
                  random.nextInt(3) == 0 ? AlertStatus.ENDED : AlertStatus.FIRING,
                  SEVERITIES.get(random.nextInt(SEVERITIES.size())),
                  "",
                  "",
                  -1,
                  0)
              .alert(nowMs));
    }
    return alerts;
  }
}
