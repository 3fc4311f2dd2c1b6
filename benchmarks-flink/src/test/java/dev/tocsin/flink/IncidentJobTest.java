package dev.tocsin.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Fold;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.AlertsEntry;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That it is the same job: what the engine makes of the same alerts. */
class IncidentJobTest {
  private static final int ALERTS = 5_000;
  private static final int GROUPS = 40;
  private static final int CONDITIONS = 400;
  private static final int REDELIVERED_IN = 10;
  private static final List<Severity> SEVERITIES =
      List.of(Severity.P0, Severity.P1, Severity.P2, Severity.P3, Severity.P4);
  private static final long NOW_MS = 1_700_000_000_000L;

  /** What both say of a group's incident. */
  private record Found(int severity, long occurrences, long conditions) {}

  private final Random random = new Random(1);

  @TempDir Path folder;

  @Test
  void job_findsWhatTheFoldFinds() throws Exception {
    List<Alert> alerts = alerts();

    Map<Long, Found> found = run(alerts);

    assertThat(found).hasSize(GROUPS).isEqualTo(fold(alerts));
  }

  /** The last alert of each group has a condition of its own, whose change tells all before it. */
  private List<Alert> alerts() {
    List<Alert> alerts = new ArrayList<>();
    for (int i = 0; i < ALERTS; i++) {
      boolean again = i > 0 && random.nextInt(REDELIVERED_IN) == 0;
      int condition = random.nextInt(CONDITIONS);
      alerts.add(again ? alerts.get(i - 1) : alert(i, condition, condition % GROUPS));
    }
    for (int group = 0; group < GROUPS; group++) {
      alerts.add(alert(ALERTS + group, CONDITIONS + group, group));
    }
    return alerts;
  }

  private Alert alert(int id, int condition, int group) {
    return Alert.newBuilder()
        .setWorkspace("default")
        .setSource("test")
        .setAlertId(Integer.toString(id))
        .setStatus(AlertStatus.FIRING)
        .setFingerprint(key(1_000 + condition))
        .setGroup(key(group))
        .setRoute(group)
        .setReceipt(key(1_000_000 + id))
        .setTitle("Latency objective missed " + condition)
        .setSeverity(SEVERITIES.get(random.nextInt(SEVERITIES.size())))
        .setType(IncidentType.PERFORMANCE)
        .setFiredAtMs(NOW_MS + id)
        .build();
  }

  private static Key128 key(long high) {
    return new Key128(ByteBuffer.allocate(16).putLong(high).putLong(high).array());
  }

  private Map<Long, Found> run(List<Alert> alerts) throws Exception {
    Map<Long, Found> found = new HashMap<>();
    try (StreamExecutionEnvironment env =
            StreamExecutionEnvironment.createLocalEnvironment(
                1, IncidentJob.settings(folder, Duration.ofMillis(100)));
        CloseableIterator<IncidentChange> changes =
            IncidentJob.incidents(env.fromData(Types.POJO(Sighting.class), sightings(alerts)))
                .executeAndCollect("test")) {
      changes.forEachRemaining(
          change ->
              found.merge(
                  group(change),
                  new Found(change.severity, change.occurrences, 1),
                  (before, now) ->
                      new Found(now.severity, now.occurrences, before.conditions + 1)));
    }
    return found;
  }

  /** An incident's id begins with its group. */
  private static long group(IncidentChange change) {
    return Long.parseUnsignedLong(change.incident, 0, change.incident.indexOf('-'), 16);
  }

  private static Sighting[] sightings(List<Alert> alerts) throws IOException {
    Sighting[] sightings = new Sighting[alerts.size()];
    for (int i = 0; i < sightings.length; i++) {
      AlertReader reader = new AlertReader();
      reader.open(null);
      sightings[i] = reader.deserialize(AlertsEntry.encode(alerts.get(i)));
    }
    return sightings;
  }

  private static Map<Long, Found> fold(List<Alert> alerts) {
    MemoryStore store = new MemoryStore();
    Fold fold = new Fold(store, event -> {});
    fold.apply(LogEntries.of(new RulesActivated(DefaultRules.read())), 0, NOW_MS);
    for (int i = 0; i < alerts.size(); i++) {
      fold.apply(LogEntries.of(new Alerts(1, List.of(alerts.get(i)))), i + 1, NOW_MS + i);
    }
    Map<Long, Found> found = new HashMap<>();
    store
        .incidents()
        .forEach(
            incident ->
                found.put(
                    AlertReader.high(incident.getGroup()),
                    new Found(
                        1 + SEVERITIES.indexOf(incident.getSeverity()),
                        store.tally(incident.getId()).getOccurrences(),
                        incident.getDistinctAlerts())));
    return found;
  }
}
