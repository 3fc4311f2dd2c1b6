package dev.tocsin.engine;

import static dev.tocsin.engine.Log.START_MS;
import static dev.tocsin.engine.Sighting.ended;
import static dev.tocsin.engine.Sighting.firing;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.TimelineKind;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Conditions that were active when a person resolved their incident. */
class MuteTest {
  private static final Duration SILENCE = Duration.ofHours(24);
  private static final Duration GRAIN = SILENCE.dividedBy(64);
  private static final Duration MS = Duration.ofMillis(1);

  private final Log log = new Log();

  @Test
  void muted_isCounted_andOpensAndReopensNothing() {
    log.send(firing("cpu"), firing("disk"));
    resolve();
    Incident resolved = log.only();
    int events = log.events.size();
    log.after(Duration.ofMinutes(1)).send(firing("cpu"), firing("cpu").as(Severity.P0));
    assertThat(log.only()).isEqualTo(resolved);
    assertThat(resolved.getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(resolved.getActiveAlerts()).as("they hold still").isEqualTo(2);
    assertThat(log.counts().getMuted()).isEqualTo(2);
    assertThat(log.tally().getOccurrences()).isEqualTo(2);
    assertThat(log.events).hasSize(events);
  }

  @Test
  void muted_afterItsEnd_isJudgedAsUsual() {
    log.send(firing("cpu"), firing("disk"));
    resolve();
    log.after(Duration.ofMinutes(1)).send(ended("cpu"));
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.only().getActiveAlerts()).isEqualTo(1);
    assertThat(Log.timeline(log.only())).endsWith(TimelineKind.ALERT_RESOLVED);
    assertThat(log.eventTypes()).endsWith(EventType.UPDATED);
    assertThat(log.counts().getResolved()).isEqualTo(1);
    log.send(firing("cpu").firedAt(START_MS));
    assertThat(log.counts().getStale()).isEqualTo(1);
    log.send(firing("cpu"), firing("disk"));
    assertThat(log.incidents()).hasSize(2);
    assertThat(log.newest("g").getDistinctAlerts()).as("disk is muted still").isEqualTo(1);
    assertThat(log.counts().getMuted()).isEqualTo(1);
  }

  @Test
  void muted_whenAllHaveEnded_staysResolvedByThePerson() {
    log.send(firing("cpu"));
    resolve();
    long resolvedAtMs = log.only().getResolvedAtMs();
    log.after(Duration.ofMinutes(1)).send(ended("cpu"));
    assertThat(log.only().getActiveAlerts()).isZero();
    assertThat(log.only().getResolvedAtMs()).isEqualTo(resolvedAtMs);
    assertThat(Log.timeline(log.only())).containsOnlyOnce(TimelineKind.RESOLVED);
    log.send(firing("cpu"));
    assertThat(log.incidents()).as("a new one, within the reopen window too").hasSize(2);
  }

  @Test
  void muted_isKeptAliveBySightings_andEndsBySilence() {
    log.send(firing("cpu"));
    resolve();
    for (int i = 0; i < 4; i++) {
      log.after(SILENCE.minus(Duration.ofHours(1))).send(firing("cpu"));
    }
    assertThat(log.incidents()).hasSize(1);
    log.after(SILENCE.plus(GRAIN).minus(MS)).tick();
    assertThat(log.only().getActiveAlerts()).isEqualTo(1);
    log.after(MS).tick();
    assertThat(log.only().getActiveAlerts()).isZero();
    assertThat(Log.timeline(log.only())).endsWith(TimelineKind.ALERT_EXPIRED);
    log.send(firing("cpu"));
    assertThat(log.incidents()).hasSize(2);
  }

  @Test
  void muted_endsWhenItsSourceSaidSo() {
    log.send(firing("cpu"));
    resolve();
    log.send(firing("cpu").endsAt(START_MS + 60_000)).at(START_MS + 60_000).tick();
    assertThat(log.only().getActiveAlerts()).isZero();
    log.send(firing("cpu"));
    assertThat(log.incidents()).hasSize(2);
  }

  @Test
  void muted_staysSo_afterItsIncidentIsClosed_andAfterItHasLeft() {
    log.send(firing("cpu"));
    resolve();
    for (int day = 1; day <= 36; day++) {
      log.after(Duration.ofHours(23)).send(firing("cpu"));
    }
    assertThat(log.only().getState()).isEqualTo(IncidentState.CLOSED);
    for (int day = 1; day <= 4; day++) {
      log.after(Duration.ofHours(23)).send(firing("cpu"));
    }
    assertThat(log.incidents()).isEmpty();
    assertThat(log.counts().getMuted()).isEqualTo(40);
    log.send(ended("cpu"));
    assertThat(log.counts().getResolved()).isEqualTo(1);
    log.after(MS).send(firing("cpu"));
    assertThat(log.only().getState()).isEqualTo(IncidentState.DETECTED);
  }

  @Test
  void muted_whoseIncidentHasLeft_isForgottenAfterItsSilence() {
    log.send(firing("cpu"));
    resolve();
    for (int day = 1; day <= 40; day++) {
      log.after(Duration.ofHours(23)).send(firing("cpu"));
    }
    log.after(SILENCE.multipliedBy(3)).tick();
    assertThat(log.store.conditions.size()).isZero();
    assertThat(log.store.timers).isEmpty();
  }

  @Test
  void reopened_byAPerson_itsConditionsCountAgain() {
    log.send(firing("cpu"), firing("disk"));
    resolve();
    log.after(Duration.ofMinutes(1)).send(firing("cpu"), ended("disk"));
    log.ask(Ask.move("reopen", log.only(), IncidentState.INVESTIGATING));
    assertThat(log.only().getActiveAlerts()).isEqualTo(1);
    log.send(firing("cpu"));
    assertThat(log.counts().getMuted()).isEqualTo(1);
    assertThat(log.tally().getOccurrences()).isEqualTo(3);
    log.send(ended("cpu"));
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
  }

  @Test
  void anotherCondition_ofTheGroup_opensANewOne_thatTheMutedOnesDoNotJoin() {
    log.send(firing("cpu"));
    resolve();
    log.send(firing("disk"), firing("cpu"), firing("cpu"));
    assertThat(log.incidents()).hasSize(2);
    assertThat(log.newest("g").getDistinctAlerts()).isEqualTo(1);
    assertThat(log.counts().getMuted()).isEqualTo(2);
    log.send(ended("cpu"));
    assertThat(log.newest("g").getActiveAlerts()).isEqualTo(1);
    log.after(MS).send(firing("cpu"));
    assertThat(log.newest("g").getDistinctAlerts()).as("unmuted, it joins").isEqualTo(2);
    assertThat(log.incidents()).hasSize(2);
  }

  @Test
  void endedBefore_isNotMuted() {
    log.send(firing("cpu"), firing("disk"), ended("cpu"));
    resolve();
    log.after(MS).send(firing("cpu"));
    assertThat(log.incidents()).hasSize(2);
    assertThat(log.counts().getMuted()).isZero();
  }

  @Test
  void redelivery_ofAMutedCondition_isARedelivery() {
    log.send(firing("cpu").id("a"));
    resolve();
    log.send(firing("cpu").id("a"));
    assertThat(log.counts().getRedelivered()).isEqualTo(1);
    assertThat(log.counts().getMuted()).isZero();
  }

  private void resolve() {
    log.ask(Ask.move("resolve", log.only(), IncidentState.RESOLVED));
  }
}
