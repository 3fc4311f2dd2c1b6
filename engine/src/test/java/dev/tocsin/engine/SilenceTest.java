package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Silence;
import dev.tocsin.schemas.SilencePhase;
import dev.tocsin.schemas.SilenceState;
import dev.tocsin.schemas.TimelineKind;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What people hide for a time. */
class SilenceTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration DAY = Duration.ofDays(1);

  private final Log log = new Log();

  @Test
  void openIncident_isSilencedWithTheEntryThatBeginsASilence() {
    log.send(Sighting.firing("disk").in("db"), Sighting.firing("x").in("web")).after(SECOND);
    long revision = log.newest("db").getRevision();
    silence("r1", "s-db", Duration.ZERO, HOUR);
    Incident hidden = log.newest("db");
    assertThat(hidden.getSilencedBy()).isEqualTo(Hush.id("r1"));
    assertThat(hidden.getSilencedUntilMs()).isEqualTo(log.nowMs() + HOUR.toMillis());
    assertThat(hidden.getRevision()).isEqualTo(revision + 1);
    var line = hidden.getTimeline().get(1);
    assertThat(line.getKind()).isEqualTo(TimelineKind.SILENCED);
    assertThat(line.getText()).isEqualTo("because of r1");
    assertThat(line.getActor()).isEqualTo("anna");
    assertThat(line.getOffset()).isEqualTo(log.offset() - 1);
    assertThat(last().getType()).isEqualTo(EventType.UPDATED);
    assertThat(last().getSuppressedBefore()).isFalse();
    assertThat(Lifecycle.isSuppressed(last().getIncident())).isTrue();
    assertThat(log.newest("web").getSilencedBy()).isNull();
  }

  @Test
  void silence_withoutAStartBeginsWhenItIsApplied() {
    log.send(Sighting.firing("disk").in("db")).after(HOUR);
    long endMs = log.nowMs() + HOUR.toMillis();
    log.append(LogEntries.of(Hush.silence("r1", 0, endMs, Hush.source("s-db"))));
    assertThat(phase("r1")).isEqualTo(SilencePhase.ACTIVE);
    assertThat(log.store.silence(Hush.id("r1")).getSilence().getStartMs()).isEqualTo(log.nowMs());
    assertThat(log.newest("db").getSilencedBy()).isEqualTo(Hush.id("r1"));
  }

  @Test
  void silence_thatBeginsHidesNothingThatOneHidesForLonger() {
    log.send(Sighting.firing("disk").in("db"));
    silence("long", "s-db", Duration.ZERO, HOUR.multipliedBy(3));
    silence("short", "s-.*", Duration.ZERO, HOUR);
    assertThat(log.newest("db").getSilencedBy()).isEqualTo(Hush.id("long"));
    silence("longer", "s-.*", Duration.ZERO, HOUR.multipliedBy(4));
    assertThat(log.newest("db").getSilencedBy()).isEqualTo(Hush.id("longer"));
  }

  @Test
  void silence_beginsAndEndsInItsTime() {
    log.send(Sighting.firing("disk").in("db"));
    long beginMs = log.nowMs() + HOUR.toMillis();
    silence("r1", "s-.*", HOUR, HOUR.multipliedBy(2));
    assertThat(log.newest("db").getSilencedBy()).isNull();
    assertThat(phase("r1")).isEqualTo(SilencePhase.PENDING);
    log.after(HOUR.minusMillis(1)).tick();
    assertThat(log.newest("db").getSilencedBy()).isNull();
    log.after(SECOND).tick();
    assertThat(log.newest("db").getSilencedBy()).isNotNull();
    assertThat(log.newest("db").getUpdatedAtMs()).isEqualTo(beginMs);
    log.after(HOUR.multipliedBy(2)).tick();
    Incident shown = log.newest("db");
    assertThat(shown.getSilencedBy()).isNull();
    assertThat(shown.getSilencedUntilMs()).isZero();
    assertThat(shown.getUpdatedAtMs()).isEqualTo(beginMs + HOUR.toMillis());
    assertThat(log.events)
        .anyMatch(
            each ->
                each.getSuppressedBefore()
                    && each.getAtMs() == beginMs + HOUR.toMillis()
                    && Log.timeline(each.getIncident()).contains(TimelineKind.UNSILENCED));
    assertThat(phase("r1")).isEqualTo(SilencePhase.ENDED);
  }

  @Test
  void incident_thatOpensOrIsReopenedMeanwhileIsSilencedFromItsFirstEventOn() {
    silence("r1", "s-db", Duration.ZERO, HOUR);
    log.send(Sighting.firing("disk").in("db"));
    assertThat(Log.timeline(log.only()))
        .containsExactly(TimelineKind.OPENED, TimelineKind.SILENCED);
    assertThat(log.eventTypes()).containsExactly(EventType.CREATED);
    log.after(SECOND).send(Sighting.ended("disk").in("db"));
    assertThat(log.only().getSilencedBy()).as("only open ones").isNull();
    assertThat(last().getSuppressedBefore()).isTrue();
    log.after(SECOND).send(Sighting.firing("disk").in("db"));
    assertThat(log.only().getSilencedBy()).isNotNull();
    log.ask(Ask.create("c1", "desk"));
    assertThat(last().getIncident().getSilencedBy()).as("of another source").isNull();
    silence("r2", "desk", Duration.ZERO, HOUR);
    assertThat(last().getIncident().getSilencedBy()).as("created by a person").isNotNull();
  }

  @Test
  void fields_thatChangeAreJudgedAnew() {
    log.send(Sighting.firing("disk"));
    log.append(
        LogEntries.of(
            Hush.silence("r1", log.nowMs(), log.nowMs() + 1000, Hush.equal("title", "quiet"))));
    log.append(
        LogEntries.of(
            Hush.silence("r2", log.nowMs(), log.nowMs() + 2000, Hush.equal("labels.x", "y"))));
    log.append(
        LogEntries.of(
            Hush.silence("r3", log.nowMs(), log.nowMs() + 3000, Hush.equal("severity", "P4"))));
    log.ask(Ask.update("a1", log.only(), asked -> asked.setTitle("quiet")));
    assertThat(log.only().getSilencedBy()).isEqualTo(Hush.id("r1"));
    assertThat(Log.timeline(log.only())).endsWith(TimelineKind.EDITED, TimelineKind.SILENCED);
    log.ask(Ask.update("a2", log.only(), asked -> asked.setSetLabels(Map.of("x", "y"))));
    assertThat(log.only().getSilencedBy()).as("the one that ends last").isEqualTo(Hush.id("r2"));
    log.ask(Ask.update("a3", log.only(), asked -> asked.setSeverity(Severity.P4)));
    assertThat(log.only().getSilencedBy()).isEqualTo(Hush.id("r3"));
    log.send(Sighting.firing("fire").as(Severity.P0));
    assertThat(log.only().getSilencedBy()).as("what is worse too").isEqualTo(Hush.id("r2"));
    log.ask(
        Ask.update(
            "a4",
            log.only(),
            asked -> {
              asked.setTitle("loud");
              asked.setRemoveLabels(List.of("x"));
            }));
    assertThat(log.only().getSilencedBy()).isNull();
    assertThat(Log.timeline(log.only())).endsWith(TimelineKind.EDITED, TimelineKind.UNSILENCED);
    long revision = log.only().getRevision();
    log.ask(Ask.note("a5", log.only(), "a note"));
    assertThat(log.only().getRevision()).isEqualTo(revision + 1);
  }

  @Test
  void severalSilences_theOneThatEndsLastCountsAndTheNextOneTakesOver() {
    log.send(Sighting.firing("disk"));
    silence("short", "s-.*", Duration.ZERO, HOUR);
    silence("long", "s-.*", Duration.ZERO, HOUR.multipliedBy(3));
    assertThat(log.only().getSilencedBy()).isEqualTo(Hush.id("long"));
    silence("middle", "s-.*", Duration.ZERO, HOUR.multipliedBy(2));
    assertThat(log.only().getSilencedBy()).isEqualTo(Hush.id("long"));
    expire("long");
    assertThat(log.only().getSilencedBy()).isEqualTo(Hush.id("middle"));
    assertThat(last().getSuppressedBefore()).isTrue();
    expire("middle");
    expire("short");
    assertThat(log.only().getSilencedBy()).isNull();
  }

  @Test
  void expiry_endsItNowAndOnceAndOfItsWorkspaceOnly() {
    log.send(Sighting.firing("disk"));
    silence("r1", "s-.*", Duration.ZERO, HOUR);
    log.append(LogEntries.of(Hush.expired("v", "r1")));
    assertThat(log.only().getSilencedBy()).isNotNull();
    log.after(SECOND);
    expire("r1");
    assertThat(log.only().getSilencedBy()).isNull();
    SilenceState ended = log.store.silence(Hush.id("r1"));
    assertThat(ended.getEndMs()).isEqualTo(log.nowMs());
    assertThat(ended.getExpiredBy()).isEqualTo("ben");
    assertThat(log.only().getTimeline()).last().hasFieldOrPropertyWithValue("actor", "ben");
    log.after(SECOND);
    expire("r1");
    expire("nobody's");
    assertThat(log.store.silence(Hush.id("r1"))).isEqualTo(ended);
    silence("later", "s-.*", HOUR, DAY);
    int events = log.events.size();
    expire("later");
    log.after(HOUR.multipliedBy(2)).tick();
    assertThat(log.events).as("it never began").hasSize(events);
  }

  @Test
  void silence_thatIsKnownOrOverChangesNothing() {
    silence("r1", "s-.*", Duration.ZERO, HOUR);
    SilenceState before = log.store.silence(Hush.id("r1"));
    log.after(SECOND);
    silence("r1", "other", Duration.ZERO, DAY);
    assertThat(log.store.silence(Hush.id("r1"))).isEqualTo(before);
    log.append(LogEntries.of(Hush.silence("past", log.nowMs() - 9, log.nowMs())));
    assertThat(log.counts().getSilences()).isEqualTo(1);
  }

  @Test
  void silence_isForgottenADayAfterItsEnd() {
    silence("r1", "s-.*", Duration.ZERO, HOUR);
    log.after(HOUR.plus(DAY).minusMillis(1)).tick();
    assertThat(log.store.silences.size()).isEqualTo(1);
    log.after(Duration.ofMillis(1)).tick();
    assertThat(log.store.silences.size() + log.store.workspaceSilences.size()).isZero();
    assertThat(log.counts().getSilences()).isZero();
    assertThat(log.store.timers).isEmpty();
  }

  @Test
  void silence_thatComesAgainUnderAForgottenIdHasItsOwnMatchers() {
    log.send(Sighting.firing("disk").in("db"));
    silence("r1", "s-db", Duration.ZERO, SECOND);
    log.after(DAY.plus(SECOND)).tick();
    log.send(Sighting.firing("disk").in("db"));
    silence("r1", "s-web", Duration.ZERO, HOUR);
    assertThat(log.newest("db").getSilencedBy()).isNull();
  }

  @Test
  void silences_ofOneWorkspaceAreBounded() {
    Fold fold = log.fold();
    for (int i = 0; i <= Silences.LASTING_MAX; i++) {
      fold.apply(
          LogEntries.of(Hush.silence("r" + i, log.nowMs() + 1000, log.nowMs() + 2000)),
          log.offset(),
          log.nowMs());
    }
    Invariants.check(log.store);
    assertThat(log.counts().getSilences()).isEqualTo(Silences.LASTING_MAX);
    assertThat(log.counts().getSilencesFull()).isEqualTo(1);
    log.after(HOUR).tick();
    for (int i = 0; i < 3; i++) {
      silence("again " + i, "s-.*", Duration.ZERO, HOUR);
      expire("again " + i);
    }
    assertThat(log.store.silences(Silences.key("w")).getEnded()).hasSize(Silences.ENDED_MAX);
    assertThat(log.counts().getSilences()).isEqualTo(Silences.ENDED_MAX);
    assertThat(log.store.silence(Hush.id("again 2"))).as("the oldest go").isNotNull();
  }

  @Test
  void incidents_areWalkedInSteps_eachOneCommitAndAllBeforeTheNextEntry() {
    int many = 2 * Silences.STEP + 10;
    for (int i = 0; i < many; i++) {
      var entry = LogEntries.of(Hush.alerts(Sighting.firing("disk").in("g" + i), log.nowMs()));
      log.fold().apply(entry, log.offset(), log.nowMs());
    }
    silence("r1", "s-.*", Duration.ZERO, HOUR);
    assertThat(silenced()).isEqualTo(Silences.STEP);
    assertThat(log.store.silence(Hush.id("r1")).getWalking()).isTrue();
    assertThat(log.fold().dueMs()).hasValue(log.nowMs());
    log.restart().tick();
    assertThat(silenced()).isEqualTo(many);
    assertThat(log.store.silence(Hush.id("r1")).getWalking()).isFalse();
    log.after(HOUR).tick();
    assertThat(silenced()).isZero();
  }

  @Test
  void times_thatNoCallerMayAskForAreDeadLettered() {
    for (Silence each :
        List.of(
            Hush.silence("r1", 5, 5),
            Hush.silence("r1", -5, 5),
            Hush.silence("r1", 5, Long.MAX_VALUE))) {
      assertThatThrownBy(() -> log.fold().apply(LogEntries.of(each), log.offset(), log.nowMs()))
          .isInstanceOf(Fold.EngineFailure.class);
    }
    assertThat(log.counts().getSilences()).isZero();
  }

  @Test
  void flapping_inhibitedAndSilenced_atOnce() {
    Log all = new Log(World.hiding(World.twitchy(DefaultRules.read())));
    all.append(
        LogEntries.of(
            Hush.silence("r1", all.nowMs(), all.nowMs() + HOUR.toMillis(), Hush.source("s-g2"))));
    all.send(Sighting.firing("a").in("g1"));
    for (int i = 0; i < 3; i++) {
      all.send(Sighting.firing("b").in("g2"), Sighting.ended("b").in("g2"));
    }
    Incident hidden = all.newest("g2");
    assertThat(hidden.getFlapping()).isTrue();
    assertThat(hidden.getInhibitedBy()).isNotNull();
    assertThat(hidden.getSilencedBy()).isNotNull();
    all.ask(Ask.move("m", hidden, IncidentState.RESOLVED));
    assertThat(Lifecycle.isSuppressed(all.newest("g2"))).isFalse();
  }

  @Test
  void entries_needVersionThree() {
    assertThat(Fold.versionNeeded(LogEntries.of(Hush.silence("r1", 1, 2)))).isEqualTo(3);
    assertThat(Fold.versionNeeded(LogEntries.of(Hush.expired("w", "r1")))).isEqualTo(3);
  }

  private long silenced() {
    return log.incidents().stream().map(Incident::getSilencedBy).filter(Objects::nonNull).count();
  }

  private SilencePhase phase(String request) {
    return log.store.silence(Hush.id(request)).getPhase();
  }

  private void silence(String request, String source, Duration from, Duration to) {
    log.append(
        LogEntries.of(
            Hush.silence(
                request,
                log.nowMs() + from.toMillis(),
                log.nowMs() + to.toMillis(),
                Hush.source(source))));
  }

  private void expire(String request) {
    log.append(LogEntries.of(Hush.expired("w", request)));
  }

  private IncidentEvent last() {
    return log.events.get(log.events.size() - 1);
  }
}
