package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.OutcomeCode;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Tally;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * What the engine makes of one fixed log of alerts and commands. As with {@link GoldenDigestTest},
 * a difference takes a new engine version.
 */
class GoldenCommandsTest {
  private static final long[] JUMPS_MS = {
    0, 0, 0, 1, 400, 1000, 20_000, 120_000, 240_000, 400_000, -60_000
  };
  private static final List<IncidentState> STATES = List.of(IncidentState.values());
  private static final int ENTRIES = 3000;

  private final Random random = new Random(20251122); // its algorithm is part of Java's
  private final MemoryStore store = new MemoryStore();
  private final DigestSum lives = new DigestSum();
  private final Set<OutcomeCode> codes = EnumSet.noneOf(OutcomeCode.class);
  private final Set<EventType> events = EnumSet.noneOf(EventType.class);
  private long nowMs = Log.START_MS;

  @Test
  void digests_areThoseOfVersion2() throws IOException {
    Fold fold =
        new Fold(
            store,
            event -> {
              events.add(event.getType());
              lives.add(
                  event.getIncident(),
                  Tally.newBuilder()
                      .setOccurrences(event.getOccurrences())
                      .setLastSeenMs(event.getLastSeenMs())
                      .build());
            });
    for (int offset = 0; offset < ENTRIES; offset++) {
      nowMs += JUMPS_MS[random.nextInt(JUMPS_MS.length)];
      LogEntry entry = entry(offset);
      fold.apply(entry, offset, nowMs);
      note(entry.getCommand());
    }
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
                    store.state().getMuted(),
                    store.state().getOutcomes()))
        .isEqualTo(GoldenDigestTest.golden("/golden-digests/2-commands.txt"));
    assertThat(store.state().getMuted()).as("the log has muted alerts").isPositive();
    assertThat(events).as("and all that can happen").hasSize(EventType.values().length - 1);
    assertThat(codes)
        .containsExactlyInAnyOrder(
            OutcomeCode.DONE,
            OutcomeCode.NOT_FOUND,
            OutcomeCode.ABORTED,
            OutcomeCode.FAILED_PRECONDITION);
  }

  private void note(Command command) {
    Outcome outcome =
        command == null
            ? null
            : store.outcome(Outcomes.key(command.getWorkspace(), command.getRequestId()));
    if (outcome != null) {
      codes.add(outcome.getCode());
    }
  }

  private LogEntry entry(int offset) {
    if (offset == 0) {
      Rules rules = World.brisk(1);
      rules.setOutcomesMax(40);
      rules.setTimelineMax(20);
      LogEntry first = LogEntries.of(new RulesActivated(rules));
      first.setEngineActivated(2);
      return first;
    }
    return random.nextInt(3) == 0
        ? LogEntries.of(command(offset, List.copyOf(store.incidents())))
        : LogEntries.of(new Alerts(1, alerts()));
  }

  private Command command(int offset, List<Incident> incidents) {
    String request = "r" + (random.nextInt(10) == 0 ? random.nextInt(20) : offset);
    if (incidents.isEmpty() || random.nextInt(10) == 0) {
      return Ask.create(request, "k" + random.nextInt(30));
    }
    List<Incident> firing = incidents.stream().filter(each -> each.getActiveAlerts() > 0).toList();
    List<Incident> some = firing.isEmpty() || random.nextInt(3) == 0 ? incidents : firing;
    Incident incident = some.get(random.nextInt(some.size()));
    Command command =
        switch (random.nextInt(6)) {
          case 0 -> Ask.note(request, incident, "note " + offset);
          case 1 -> Ask.update(request, incident, asked -> asked.setSeverity(Severity.P4));
          case 2 ->
              Ask.update(
                  request,
                  incident,
                  asked -> {
                    asked.setTitle("title " + offset % 3);
                    asked.setAssignee("ben");
                    asked.setSetLabels(Map.of("l" + offset % 9, "x"));
                    asked.setRemoveLabels(List.of("service"));
                  });
          default -> Ask.move(request, incident, STATES.get(random.nextInt(STATES.size())));
        };
    if (random.nextInt(20) == 0) {
      command.setWorkspace("v");
    }
    command.setExpectedRevision(random.nextInt(5) == 0 ? incident.getRevision() - 1 : 0);
    return command;
  }

  private List<Alert> alerts() {
    List<Alert> alerts = new ArrayList<>();
    for (int left = 1 + random.nextInt(3); left > 0; left--) {
      alerts.add(
          new Sighting(
                  "c" + random.nextInt(4),
                  "g" + random.nextInt(5),
                  random.nextInt(4) == 0 ? AlertStatus.ENDED : AlertStatus.FIRING,
                  List.of(Severity.P0, Severity.P1, Severity.P2, Severity.P3, Severity.P4)
                      .get(random.nextInt(5)),
                  random.nextBoolean() ? "" : "i" + random.nextInt(50),
                  "",
                  nowMs - 1000L * random.nextInt(100),
                  random.nextInt(6) == 0 ? nowMs + 1000L * random.nextInt(1000) : 0)
              .alert(nowMs));
    }
    return alerts;
  }
}
