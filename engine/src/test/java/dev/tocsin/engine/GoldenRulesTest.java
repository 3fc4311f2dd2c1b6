package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Tally;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * What the engine makes of one fixed log of alerts that several versions of named rules stamped,
 * some of them suppressed, some late, and of people who meddle. As with {@link GoldenDigestTest}, a
 * difference takes a new engine version.
 */
class GoldenRulesTest {
  private static final long[] JUMPS_MS = {
    0, 0, 0, 1, 400, 1000, 20_000, 120_000, 240_000, 400_000, 900_000, -60_000
  };
  private static final List<IncidentState> STATES =
      List.of(IncidentState.RESOLVED, IncidentState.INVESTIGATING, IncidentState.CLOSED);
  private static final List<Severity> SEVERITIES =
      List.of(Severity.P0, Severity.P1, Severity.P2, Severity.P3, Severity.P4);
  private static final List<String> NAMES = List.of("", "swift", "slow", "gone");
  private static final int ENTRIES = 3000;
  private static final int ENTRIES_A_VERSION = 500;

  private final Random random = new Random(20251123); // its algorithm is part of Java's
  private final MemoryStore store = new MemoryStore();
  private final DigestSum lives = new DigestSum();
  private final Set<String> ruled = new HashSet<>();
  private final Set<Integer> versions = new HashSet<>();
  private long nowMs = Log.START_MS;

  @Test
  void digests_areThoseOfVersion2() throws IOException {
    Fold fold =
        new Fold(
            store,
            event -> {
              ruled.add(event.getIncident().getRule());
              versions.add(event.getIncident().getRulesVersion());
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
    PartitionState counts = store.state();
    DigestSum digest = store.digest();
    assertThat(
            "2 %s %s %d %s %s %d %d %d"
                .formatted(
                    digest.content(),
                    digest.exact(),
                    digest.incidents(),
                    lives.content(),
                    lives.exact(),
                    lives.incidents(),
                    counts.getMuted(),
                    counts.getSuppressed()))
        .isEqualTo(GoldenDigestTest.golden("/golden-digests/2-rules.txt"));
    assertThat(counts.getMuted()).as("the log has muted alerts").isPositive();
    assertThat(counts.getSuppressed()).as("and suppressed ones").isPositive();
    assertThat(ruled).containsExactlyInAnyOrderElementsOf(NAMES);
    assertThat(versions).containsExactlyInAnyOrder(1, 2, 3, 4, 5, 6);
  }

  private LogEntry entry(int offset) {
    int version = offset / ENTRIES_A_VERSION + 1;
    int since = offset % ENTRIES_A_VERSION;
    if (since == 0) {
      LogEntry activation = LogEntries.of(new RulesActivated(rules(version)));
      activation.setEngineActivated(2);
      return activation;
    }
    List<Incident> incidents = List.copyOf(store.incidents());
    if (random.nextInt(5) == 0 && !incidents.isEmpty()) {
      return LogEntries.of(command(offset, incidents.get(random.nextInt(incidents.size()))));
    }
    boolean late = since < 20 && version > 1 && random.nextBoolean();
    return LogEntries.of(new Alerts(late ? version - 1 : version, alerts()));
  }

  /** Windows and bounds of their own, others in every version; one rule comes and goes. */
  private static Rules rules(int version) {
    Rules rules = World.brisk(version);
    rules.setOutcomesMax(100);
    Rule slow =
        Rule.newBuilder()
            .setName("slow")
            .setAutoResolveAfterMs(Duration.ofMinutes(20L * version).toMillis())
            .setReopenWindowMs(Duration.ofMinutes(5).toMillis())
            .setTimelineMax(5 + version)
            .setAlertsMax(3)
            .setNotesMax(1)
            .build();
    Rule swift =
        Rule.newBuilder()
            .setName("swift")
            .setAutoResolveAfterMs(Duration.ofMinutes(1).toMillis())
            .setCloseAfterMs(Duration.ofSeconds(10L * version).toMillis())
            .setRetentionMs(Duration.ofMinutes(2).toMillis())
            .setOccurrenceIntervalMs(Duration.ofSeconds(5).toMillis())
            .build();
    Rule gone = Rule.newBuilder().setName("gone").setReopenWindowMs(0L).build();
    rules.setRules(version % 2 == 0 ? List.of(swift, slow) : List.of(gone, slow, swift));
    return rules;
  }

  private Command command(int offset, Incident incident) {
    return switch (random.nextInt(4)) {
      case 0 -> Ask.note("r" + offset, incident, "note " + offset);
      case 1 ->
          Ask.update(
              "r" + offset, incident, asked -> asked.setSeverity(SEVERITIES.get(offset % 5)));
      default -> Ask.move("r" + offset, incident, STATES.get(random.nextInt(STATES.size())));
    };
  }

  private List<Alert> alerts() {
    List<Alert> alerts = new ArrayList<>();
    for (int left = 1 + random.nextInt(3); left > 0; left--) {
      int group = random.nextInt(6);
      Alert alert =
          new Sighting(
                  "c" + random.nextInt(4),
                  "g" + group,
                  random.nextInt(4) == 0 ? AlertStatus.ENDED : AlertStatus.FIRING,
                  SEVERITIES.get(random.nextInt(5)),
                  random.nextBoolean() ? "" : "i" + random.nextInt(50),
                  "",
                  nowMs - 1000L * random.nextInt(100),
                  random.nextInt(6) == 0 ? nowMs + 1000L * random.nextInt(1000) : 0)
              .alert(nowMs);
      alert.setRule(NAMES.get(random.nextInt(4) == 0 ? random.nextInt(4) : group % 4));
      alert.setSuppressed(random.nextInt(10) == 0);
      alerts.add(alert);
    }
    return alerts;
  }
}
