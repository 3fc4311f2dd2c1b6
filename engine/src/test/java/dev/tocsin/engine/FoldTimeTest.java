package dev.tocsin.engine;

import static dev.tocsin.engine.Log.START_MS;
import static dev.tocsin.engine.Sighting.ended;
import static dev.tocsin.engine.Sighting.firing;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.ResolvedBy;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.TimelineKind;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What time does. */
class FoldTimeTest {
  private static final Duration REOPEN = Duration.ofMinutes(5);
  private static final Duration SILENCE = Duration.ofHours(24);

  /** A sighting is written down only each 64th of the allowed silence: so much later it ends. */
  private static final Duration GRAIN = SILENCE.dividedBy(64);

  private static final Duration CLOSE = Duration.ofDays(7);
  private static final Duration RETENTION = Duration.ofDays(30);
  private static final Duration MS = Duration.ofMillis(1);

  private final Log log = new Log();

  @Test
  void endsAt_passing_endsTheCondition_atItsOwnTime() {
    long endsAtMs = START_MS + 60_000;
    log.send(firing("cpu").endsAt(endsAtMs)).at(endsAtMs - 1).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.DETECTED);
    log.after(Duration.ofHours(2)).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.only().getResolvedAtMs()).isEqualTo(endsAtMs);
    assertThat(log.only().getResolvedBy()).isEqualTo(ResolvedBy.ALERTS);
    assertThat(Log.timeline(log.only())).contains(TimelineKind.ALERT_RESOLVED);
    assertThat(log.only().getTimeline().get(1).getOffset()).isEqualTo(-1);
    assertThat(log.condition("cpu").getEndedAtMs()).isEqualTo(endsAtMs);
    assertThat(log.counts().getResolved()).as("alerts, not conditions").isZero();
  }

  @Test
  void endsAt_ofALaterSighting_counts() {
    log.send(firing("cpu").endsAt(START_MS + 60_000));
    log.after(Duration.ofSeconds(50)).send(firing("cpu").endsAt(START_MS + 110_000));
    log.at(START_MS + 109_999).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.DETECTED);
    log.send(firing("cpu").endsAt(START_MS + 200_000))
        .send(firing("cpu").endsAt(START_MS + 120_000));
    log.at(START_MS + 120_000).tick();
    assertThat(log.only().getResolvedAtMs()).isEqualTo(START_MS + 120_000);
  }

  @Test
  void silence_endsTheCondition() {
    log.send(firing("cpu")).after(SILENCE.plus(GRAIN).minus(MS)).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.DETECTED);
    log.after(MS).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(Log.timeline(log.only()))
        .containsExactly(TimelineKind.OPENED, TimelineKind.ALERT_EXPIRED, TimelineKind.RESOLVED);
    log.send(firing("cpu").firedAt(START_MS));
    assertThat(log.only().getReopened()).as("silence is no end by the source").isEqualTo(1);
  }

  @Test
  void silence_isCountedFromTheLastSighting() {
    log.send(firing("cpu"));
    for (int hour = 1; hour <= 100; hour++) {
      log.after(Duration.ofHours(1)).send(firing("cpu"));
    }
    log.after(SILENCE).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.DETECTED);
    log.after(GRAIN).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.only().getRevision()).isEqualTo(2);
    assertThat(log.tally().getOccurrences()).isEqualTo(101);
  }

  @Test
  void silence_isEachConditionsOwn() {
    log.send(firing("cpu"), firing("disk")).after(Duration.ofHours(20)).send(firing("disk"));
    log.after(Duration.ofHours(10)).tick();
    assertThat(log.only().getActiveAlerts()).isEqualTo(1);
    assertThat(log.only().getState()).isEqualTo(IncidentState.DETECTED);
  }

  @Test
  void firing_withinTheWindow_reopens() {
    log.send(firing("cpu")).send(ended("cpu")).after(REOPEN).send(firing("cpu"));
    Incident incident = log.only();
    assertThat(incident.getState()).isEqualTo(IncidentState.INVESTIGATING);
    assertThat(incident.getReopened()).isEqualTo(1);
    assertThat(incident.getResolvedBy()).isEqualTo(ResolvedBy.NOBODY);
    assertThat(incident.getDistinctAlerts()).isEqualTo(1);
    assertThat(incident.getRevision()).isEqualTo(3);
    assertThat(Log.timeline(incident)).endsWith(TimelineKind.REOPENED, TimelineKind.ALERT_REFIRED);
    assertThat(log.eventTypes()).endsWith(EventType.RESOLVED, EventType.REOPENED);
    assertThat(log.tally().getOccurrences()).isEqualTo(2);
    assertThat(log.counts().getOpened()).isEqualTo(1);
  }

  @Test
  void firing_ofAnotherConditionOfTheGroup_reopensToo() {
    log.send(firing("cpu")).send(ended("cpu")).after(REOPEN).send(firing("disk"));
    assertThat(log.only().getState()).isEqualTo(IncidentState.INVESTIGATING);
    assertThat(log.only().getDistinctAlerts()).isEqualTo(2);
  }

  @Test
  void firing_afterTheWindow_opensANewOne() {
    log.send(firing("cpu")).send(ended("cpu")).after(REOPEN.plus(MS)).send(firing("cpu"));
    assertThat(log.incidents()).hasSize(2);
    assertThat(log.newest("g").getState()).isEqualTo(IncidentState.DETECTED);
    assertThat(log.incidents().get(0).getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.counts().getOpened()).isEqualTo(2);
  }

  @Test
  void firing_reopensTheNewestOnly() {
    log.send(firing("cpu")).send(ended("cpu"));
    log.after(REOPEN.plus(MS)).send(firing("cpu")).send(ended("cpu"));
    Rules longer = rules(2);
    longer.setReopenWindowMs(Duration.ofHours(1).toMillis());
    log.append(LogEntries.of(new RulesActivated(longer))).send(firing("cpu"));
    assertThat(log.incidents()).extracting(Incident::getReopened).containsExactly(0, 1);
  }

  @Test
  void closed_isFinal() {
    Rules rules = rules(2);
    rules.setReopenWindowMs(Duration.ofDays(30).toMillis());
    log.append(LogEntries.of(new RulesActivated(rules)));
    log.send(firing("cpu")).send(ended("cpu")).after(CLOSE).send(firing("cpu"));
    assertThat(log.incidents())
        .extracting(Incident::getState)
        .containsExactly(IncidentState.CLOSED, IncidentState.DETECTED);
  }

  @Test
  void reopening_overAndOver_keepsOneTimer() {
    log.send(firing("cpu"));
    for (int i = 0; i < 100; i++) {
      log.after(Duration.ofSeconds(1)).send(ended("cpu"));
      log.after(Duration.ofSeconds(1)).send(firing("cpu"));
    }
    assertThat(log.only().getReopened()).isEqualTo(100);
    assertThat(log.timers(Timer.Kind.INCIDENT)).isZero();
    log.send(ended("cpu"));
    assertThat(log.timers(Timer.Kind.INCIDENT)).isEqualTo(1);
    assertThat(log.timers(Timer.Kind.CONDITION)).isEqualTo(1);
  }

  @Test
  void reopening_withinOneMillisecond_keepsOneTimer() {
    log.send(firing("cpu"), ended("cpu"));
    log.send(firing("cpu"), ended("cpu"), firing("cpu"));
    assertThat(log.timers(Timer.Kind.INCIDENT)).isZero();
    log.send(ended("cpu"), firing("cpu"), ended("cpu"));
    assertThat(log.timers(Timer.Kind.INCIDENT)).isEqualTo(1);
  }

  @Test
  void resolved_isClosed_andLeaves() {
    log.send(firing("cpu"), ended("cpu"), ended("other")).after(CLOSE.minus(MS)).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
    log.after(MS).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.CLOSED);
    assertThat(log.only().getClosedAtMs()).isEqualTo(START_MS + CLOSE.toMillis());
    assertThat(log.eventTypes()).endsWith(EventType.CLOSED);
    log.after(RETENTION.minus(MS)).tick();
    assertThat(log.incidents()).hasSize(1);
    log.after(MS).tick();
    assertEmpty();
  }

  @Test
  void everything_leaves_howeverLongNobodyLooked() {
    log.send(firing("cpu"), firing("cpu"), firing("disk").endsAt(START_MS + 5), ended("x"));
    log.send(firing("cpu").in("other"), ended("cpu").in("other"));
    log.after(Duration.ofDays(400)).tick();
    assertEmpty();
    assertThat(log.eventTypes()).filteredOn(type -> type == EventType.CLOSED).hasSize(2);
  }

  private void assertEmpty() {
    assertThat(log.store.incidents.size()).isZero();
    assertThat(log.store.tallies.size()).isZero();
    assertThat(log.store.groups.size()).isZero();
    assertThat(log.store.conditions.size()).isZero();
    assertThat(log.store.timers).isEmpty();
    assertThat(log.fold().dueMs()).isEmpty();
  }

  @Test
  void olderIncidents_leaving_doesNotForgetTheGroupsNewest() {
    log.send(firing("cpu")).send(ended("cpu")).after(Duration.ofDays(30)).send(firing("cpu"));
    log.after(Duration.ofDays(8)).send(firing("cpu"));
    assertThat(log.newest("g").getState()).isEqualTo(IncidentState.DETECTED);
    log.send(firing("disk"));
    assertThat(log.newest("g").getDistinctAlerts()).isEqualTo(2);
  }

  @Test
  void unmatchedResolved_isForgotten_afterTheSilence() {
    log.send(ended("cpu")).after(SILENCE.minus(MS)).send(firing("cpu").firedAt(START_MS - 1));
    assertThat(log.counts().getStale()).isEqualTo(1);
    log.after(MS).tick();
    assertThat(log.store.conditions.size()).isZero();
  }

  @Test
  void endedCondition_isRemembered_asLongAsItsIncidentIsOpen() {
    log.send(firing("cpu"), firing("disk"), ended("disk"));
    for (int day = 0; day < 5; day++) {
      log.after(Duration.ofHours(23)).send(firing("cpu"));
    }
    log.send(firing("disk"));
    assertThat(log.only().getDistinctAlerts()).isEqualTo(2);
    assertThat(Log.timeline(log.only())).endsWith(TimelineKind.ALERT_REFIRED);
  }

  @Test
  void endedCondition_isRemembered_asLongAsItsIncidentMayReopen() {
    log.send(firing("cpu"), firing("disk"), ended("disk"));
    log.after(SILENCE.minus(Duration.ofMinutes(1))).send(ended("cpu"));
    log.after(Duration.ofMinutes(2)).send(firing("disk"));
    assertThat(log.only().getReopened()).isEqualTo(1);
    assertThat(log.only().getDistinctAlerts()).isEqualTo(2);
  }

  @Test
  void foldTime_neverGoesBack() {
    log.send(firing("cpu"));
    log.at(START_MS - Duration.ofDays(2).toMillis()).send(firing("disk")).send(ended("disk"));
    assertThat(log.counts().getFoldTimeMs()).isEqualTo(START_MS);
    assertThat(log.only().getUpdatedAtMs()).isEqualTo(START_MS);
    assertThat(log.only().getDistinctAlerts()).isEqualTo(2);
    log.at(0).tick();
    assertThat(log.counts().getFoldTimeMs()).isEqualTo(START_MS);
  }

  @Test
  void clientsClock_movesNobodysTime() {
    long dayAhead = START_MS + Duration.ofDays(1).toMillis();
    log.send(firing("cpu").firedAt(dayAhead), firing("disk").firedAt(0));
    assertThat(log.counts().getFoldTimeMs()).isEqualTo(START_MS);
    assertThat(log.only().getActiveAlerts()).isEqualTo(2);
    assertThat(log.tally().getLastSeenMs()).isEqualTo(START_MS);
  }

  private static Rules rules(int version) {
    Rules rules = DefaultRules.read();
    rules.setVersion(version);
    return rules;
  }
}
