package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.FlappingRule;
import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.ResolvedBy;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.TimelineKind;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Groups that come and go. */
class FlappingTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration WINDOW = Duration.ofMinutes(1);

  private final Log log = new Log(flapping(1, 3, WINDOW));

  @Test
  void group_thatChangesOftenIsMarkedWithTheChangeThatIsOneTooMany() {
    comesAndGoes().after(SECOND).send(Sighting.firing("cpu"));
    assertThat(log.only().getFlapping()).isTrue();
    assertThat(Log.timeline(log.only()))
        .containsExactly(
            TimelineKind.OPENED,
            TimelineKind.ALERT_RESOLVED,
            TimelineKind.RESOLVED,
            TimelineKind.REOPENED,
            TimelineKind.ALERT_REFIRED,
            TimelineKind.FLAPPING);
    assertThat(log.only().getTimeline().get(5).getText()).isEqualTo("3 changes within 1m");
    assertThat(log.eventTypes())
        .containsExactly(EventType.CREATED, EventType.RESOLVED, EventType.REOPENED);
    assertThat(last().getIncident().getFlapping()).isTrue();
  }

  @Test
  void change_thatIsAnEndLeavesItOpen() {
    Log four = new Log(flapping(1, 4, WINDOW));
    for (int i = 0; i < 2; i++) {
      four.send(Sighting.firing("cpu")).after(SECOND);
      four.send(Sighting.ended("cpu")).after(SECOND);
    }
    assertThat(four.only().getState()).isEqualTo(IncidentState.INVESTIGATING);
    assertThat(four.only().getFlapping()).isTrue();
    assertThat(four.only().getActiveAlerts()).isZero();
    assertThat(four.events.get(3).getType()).isEqualTo(EventType.UPDATED);
  }

  @Test
  void changes_thatAreFurtherApartThanTheWindowDoNotCount() {
    log.send(Sighting.firing("cpu")).after(WINDOW.plusMillis(1)).send(Sighting.ended("cpu"));
    log.after(SECOND).send(Sighting.firing("cpu"));
    assertThat(log.only().getFlapping()).isFalse();
    log.after(WINDOW.minus(SECOND)).send(Sighting.ended("cpu"));
    assertThat(log.only().getFlapping()).as("just within").isTrue();
  }

  @Test
  void changes_ofTheGroupCountWhateverItsIncidents() {
    Rules rules = flapping(2, 3, WINDOW);
    rules.setReopenWindowMs(0L);
    log.append(LogEntries.of(new RulesActivated(rules)));
    comesAndGoes().after(SECOND).send(Sighting.firing("cpu"));
    assertThat(log.incidents()).hasSize(2);
    assertThat(log.newest("g").getFlapping()).isTrue();
    assertThat(last().getType()).isEqualTo(EventType.CREATED);
    assertThat(log.newest("g").getReopened()).isZero();
  }

  @Test
  void conditions_beyondTheFirstAreNoChange() {
    log.send(Sighting.firing("cpu"), Sighting.firing("disk"), Sighting.firing("net"));
    log.send(Sighting.ended("disk"), Sighting.ended("net"), Sighting.firing("disk"));
    assertThat(log.only().getFlapping()).isFalse();
    assertThat(group().getChangesMs()).hasSize(1);
  }

  @Test
  void comingsAndGoings_ofAFlappingOneAreCountedAndNotTold() {
    flap();
    long revision = log.only().getRevision();
    int lines = log.only().getTimeline().size();
    long updatedMs = log.only().getUpdatedAtMs();
    log.after(SECOND).send(Sighting.ended("cpu"));
    assertThat(log.only().getState()).isEqualTo(IncidentState.INVESTIGATING);
    assertThat(log.only().getActiveAlerts()).isZero();
    log.after(SECOND).send(Sighting.firing("cpu"), Sighting.firing("disk"));
    assertThat(log.only().getActiveAlerts()).isEqualTo(2);
    assertThat(log.only().getDistinctAlerts()).isEqualTo(2);
    assertThat(log.only().getAlerts()).hasSize(2);
    assertThat(log.tally().getOccurrences()).isEqualTo(4);
    assertThat(log.only().getRevision()).isEqualTo(revision);
    assertThat(log.only().getUpdatedAtMs()).isEqualTo(updatedMs);
    assertThat(log.only().getTimeline()).hasSize(lines);
    log.after(SECOND.multipliedBy(2)).tick();
    assertThat(log.eventTypes().subList(3, log.events.size())).containsOnly(EventType.OCCURRED);
    assertThat(last().getIncident()).as("the last value always comes").isEqualTo(log.only());
    assertThat(last().getOccurrences()).isEqualTo(4);
  }

  @Test
  void end_thatComesRightAfterAPublicationIsPublishedToo() {
    flap();
    log.after(Duration.ofMillis(10)).send(Sighting.ended("cpu"));
    assertThat(last().getType()).isEqualTo(EventType.REOPENED);
    log.after(SECOND).tick();
    assertThat(last().getType()).isEqualTo(EventType.OCCURRED);
    assertThat(last().getIncident().getActiveAlerts()).isZero();
  }

  @Test
  void worseAlert_ofAFlappingOneIsTold() {
    flap();
    long revision = log.only().getRevision();
    log.after(SECOND).send(Sighting.firing("disk").as(Severity.P0));
    assertThat(log.only().getSeverity()).isEqualTo(Severity.P0);
    assertThat(log.only().getRevision()).isEqualTo(revision + 1);
    assertThat(last().getType()).isEqualTo(EventType.UPDATED);
    assertThat(Log.timeline(log.only())).endsWith(TimelineKind.SEVERITY_RAISED);
    assertThat(Log.timeline(log.only())).doesNotContain(TimelineKind.ALERT_JOINED);
  }

  @Test
  void steadiness_comesAWholeWindowAfterTheLastChangeAndResolvesWhatDoesNotHold() {
    flap();
    log.after(SECOND.multipliedBy(40)).send(Sighting.ended("cpu"));
    long lastMs = log.nowMs();
    log.after(WINDOW.minusMillis(1)).tick();
    assertThat(log.only().getFlapping()).isTrue();
    log.after(WINDOW.multipliedBy(5)).tick();
    Incident incident = log.only();
    assertThat(incident.getFlapping()).isFalse();
    assertThat(incident.getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(incident.getResolvedBy()).isEqualTo(ResolvedBy.ALERTS);
    assertThat(incident.getResolvedAtMs()).isEqualTo(lastMs + WINDOW.toMillis());
    assertThat(Log.timeline(incident)).endsWith(TimelineKind.STEADY, TimelineKind.RESOLVED);
    assertThat(last().getType()).isEqualTo(EventType.RESOLVED);
    assertThat(log.timers(Timer.Kind.FLAPPING)).isZero();
  }

  @Test
  void steadiness_leavesOpenWhatHolds() {
    flap();
    log.after(WINDOW).tick();
    assertThat(log.only().getFlapping()).isFalse();
    assertThat(log.only().getState()).isEqualTo(IncidentState.INVESTIGATING);
    assertThat(Log.timeline(log.only())).endsWith(TimelineKind.STEADY);
    assertThat(last().getType()).isEqualTo(EventType.UPDATED);
    log.send(Sighting.ended("cpu"));
    assertThat(log.only().getState()).as("as any other").isEqualTo(IncidentState.RESOLVED);
  }

  @Test
  void person_mayResolveItAsAnyOther() {
    flap();
    log.ask(Ask.move("r1", log.only(), IncidentState.RESOLVED));
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.only().getFlapping()).isFalse();
    assertThat(log.timers(Timer.Kind.FLAPPING)).isZero();
    assertThat(group().getSteadyTimerMs()).isZero();
    log.after(SECOND).send(Sighting.firing("cpu"));
    assertThat(log.counts().getMuted()).isEqualTo(1);
  }

  @Test
  void rule_hasItsOwnAndOneThatIsGoneEndsItWithTheNextLook() {
    Rules rules = DefaultRules.read();
    rules.setVersion(2);
    rules.setRules(
        List.of(
            Rule.newBuilder()
                .setName("twitchy")
                .setFlapping(new FlappingRule(3, WINDOW.toMillis()))
                .build()));
    log.append(LogEntries.of(new RulesActivated(rules)));
    comesAndGoes().after(SECOND).send(Sighting.firing("cpu"));
    assertThat(log.only().getFlapping()).as("no rule opened it").isFalse();
    for (int i = 0; i < 2; i++) {
      for (Sighting each : List.of(Sighting.firing("x"), Sighting.ended("x"))) {
        var alert = each.in("h").alert(log.nowMs());
        alert.setRule("twitchy");
        log.sendRaw(alert);
      }
    }
    assertThat(log.newest("h").getFlapping()).isTrue();
    Rules without = DefaultRules.read();
    without.setVersion(3);
    log.append(LogEntries.of(new RulesActivated(without)));
    assertThat(log.newest("h").getFlapping()).isTrue();
    log.after(WINDOW).tick();
    assertThat(log.newest("h").getFlapping()).isFalse();
    assertThat(log.newest("h").getState()).isEqualTo(IncidentState.RESOLVED);
  }

  @Test
  void times_thatAreRememberedAreAsManyAsTheRuleAsksAbout() {
    flap();
    for (int i = 0; i < 20; i++) {
      log.after(SECOND).send(Sighting.ended("cpu")).after(SECOND).send(Sighting.firing("cpu"));
    }
    assertThat(group().getChangesMs()).hasSize(3);
    assertThat(log.timers(Timer.Kind.FLAPPING)).isEqualTo(1);
  }

  @Test
  void group_thatNoRuleAsksAboutRemembersNothing() {
    Log plain = new Log();
    for (int i = 0; i < 20; i++) {
      plain.send(Sighting.firing("cpu")).send(Sighting.ended("cpu"));
    }
    assertThat(plain.store.group(Sighting.key("g")).getChangesMs()).isEmpty();
    assertThat(plain.only().getFlapping()).isFalse();
  }

  @Test
  void rules_thatSayItNeedVersionThree() {
    assertThat(Fold.versionNeeded(LogEntries.of(new RulesActivated(flapping(1, 3, WINDOW)))))
        .isEqualTo(3);
    Rules rules = DefaultRules.read();
    assertThat(Fold.versionNeeded(LogEntries.of(new RulesActivated(rules)))).isEqualTo(1);
    rules.setRules(List.of(Rule.newBuilder().setName("a").build()));
    assertThat(Fold.versionNeeded(LogEntries.of(new RulesActivated(rules)))).isEqualTo(2);
    rules.getRules().get(0).setFlapping(new FlappingRule(3, WINDOW.toMillis()));
    assertThat(Fold.versionNeeded(LogEntries.of(new RulesActivated(rules)))).isEqualTo(3);
  }

  private Log comesAndGoes() {
    return log.send(Sighting.firing("cpu")).after(SECOND).send(Sighting.ended("cpu"));
  }

  private void flap() {
    comesAndGoes().after(SECOND).send(Sighting.firing("cpu"));
    assertThat(log.only().getFlapping()).isTrue();
  }

  private IncidentEvent last() {
    return log.events.get(log.events.size() - 1);
  }

  private GroupState group() {
    return log.store.group(Sighting.key("g"));
  }

  static Rules flapping(int version, int changes, Duration window) {
    Rules rules = DefaultRules.read();
    rules.setVersion(version);
    rules.setFlapping(new FlappingRule(changes, window.toMillis()));
    return rules;
  }
}
