package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.OutcomeCode;
import dev.tocsin.schemas.ResolvedBy;
import dev.tocsin.schemas.TimelineKind;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a merge does to the incident that is merged, and to the other one. */
class MergeTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Key128 OTHER = IncidentId.of(1, 2, 3);

  private final Log log = new Log();

  @Test
  void open_isResolvedByAPersonAndItsConditionsAreMuted() {
    log.send(Sighting.firing("cpu")).after(SECOND).ask(Ask.merge("r1", log.only(), OTHER));
    Incident merged = log.only();
    assertThat(merged.getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(merged.getResolvedBy()).isEqualTo(ResolvedBy.PERSON);
    assertThat(merged.getMergedInto()).isEqualTo(OTHER);
    assertThat(Log.timeline(merged))
        .containsExactly(TimelineKind.OPENED, TimelineKind.MERGED, TimelineKind.RESOLVED);
    assertThat(merged.getTimeline().get(1).getText()).isEqualTo("title of the other");
    assertThat(merged.getTimeline().get(1).getActor()).isEqualTo("anna");
    assertThat(merged.getRevision()).isEqualTo(2);
    assertThat(log.eventTypes()).containsExactly(EventType.CREATED, EventType.RESOLVED);
    assertThat(log.outcome("r1").getCode()).isEqualTo(OutcomeCode.DONE);
    log.after(SECOND).send(Sighting.firing("cpu"));
    assertThat(log.counts().getMuted()).isEqualTo(1);
  }

  @Test
  void resolvedOne_isMergedTooAndNoAlertReopensIt() {
    log.send(Sighting.firing("cpu"), Sighting.ended("cpu"));
    log.ask(Ask.merge("r1", log.only(), OTHER));
    assertThat(log.only().getMergedInto()).isEqualTo(OTHER);
    assertThat(log.only().getResolvedBy()).isEqualTo(ResolvedBy.PERSON);
    assertThat(Log.timeline(log.only())).endsWith(TimelineKind.RESOLVED, TimelineKind.MERGED);
    assertThat(log.events.get(2).getType()).isEqualTo(EventType.UPDATED);
    log.after(SECOND).send(Sighting.firing("cpu"));
    assertThat(log.incidents()).hasSize(2);
  }

  @Test
  void takingItUpAgain_clearsIt() {
    log.send(Sighting.firing("cpu")).ask(Ask.merge("r1", log.only(), OTHER));
    log.ask(Ask.move("r2", log.only(), IncidentState.INVESTIGATING));
    assertThat(log.only().getMergedInto()).isNull();
    assertThat(log.only().getState()).isEqualTo(IncidentState.INVESTIGATING);
    assertThat(log.outcome("r2").getCode()).isEqualTo(OutcomeCode.DONE);
  }

  @Test
  void sameAgain_isNoChangeAndAThirdOneIsRefused() {
    log.send(Sighting.firing("cpu")).ask(Ask.merge("r1", log.only(), OTHER));
    long revision = log.only().getRevision();
    log.ask(Ask.merge("r2", log.only(), OTHER));
    assertThat(log.outcome("r2").getCode()).isEqualTo(OutcomeCode.DONE);
    assertThat(log.only().getRevision()).isEqualTo(revision);
    refused(
        Ask.merge("r3", log.only(), IncidentId.of(4, 5, 6)),
        "the incident is merged into " + IncidentId.text(OTHER) + " already");
  }

  @Test
  void itself_aClosedOneAndNobodysAreRefused() {
    log.send(Sighting.firing("cpu"));
    refused(
        Ask.merge("r1", log.only(), log.only().getId()),
        "an incident cannot be merged into itself");
    log.ask(Ask.move("r2", log.only(), IncidentState.RESOLVED));
    log.ask(Ask.move("r3", log.only(), IncidentState.CLOSED));
    refused(
        Ask.merge("r4", log.only(), OTHER),
        "the incident is CLOSED, which is final: nothing but notes can be added");
    Command strange = Ask.merge("r5", log.only(), OTHER);
    strange.setIncident(OTHER);
    log.ask(strange);
    assertThat(log.outcome("r5").getCode()).isEqualTo(OutcomeCode.NOT_FOUND);
    Command stale = Ask.merge("r6", log.only(), OTHER);
    stale.setExpectedRevision(1);
    log.ask(stale);
    assertThat(log.outcome("r6").getCode()).isEqualTo(OutcomeCode.ABORTED);
  }

  @Test
  void other_saysWhatWasMergedIntoIt() {
    log.send(Sighting.firing("cpu")).ask(Ask.mergedFrom("r1", log.only(), OTHER));
    assertThat(log.only().getState()).isEqualTo(IncidentState.DETECTED);
    assertThat(log.only().getMergedFrom()).containsExactly(OTHER);
    assertThat(Log.timeline(log.only())).endsWith(TimelineKind.MERGED_FROM);
    assertThat(log.events.get(1).getType()).isEqualTo(EventType.UPDATED);
    log.ask(Ask.mergedFrom("r1", log.only(), OTHER));
    assertThat(log.only().getRevision()).as("the same request").isEqualTo(2);
    for (int i = 0; i < IncidentDraft.MERGED_MAX; i++) {
      log.ask(Ask.mergedFrom("m" + i, log.only(), IncidentId.of(10 + i, 2, 3)));
    }
    assertThat(log.only().getMergedFrom())
        .hasSize(IncidentDraft.MERGED_MAX)
        .doesNotContain(OTHER)
        .endsWith(IncidentId.of(9 + IncidentDraft.MERGED_MAX, 2, 3));
    log.ask(Ask.mergedFrom("again", log.only(), IncidentId.of(10, 2, 3)));
    assertThat(log.only().getMergedFrom())
        .doesNotHaveDuplicates()
        .endsWith(IncidentId.of(10, 2, 3));
  }

  @Test
  void flappingHiddenAndHidingOnes_areMergedAsTheyAreResolved() {
    Log all = new Log(World.hiding(World.twitchy(DefaultRules.read())));
    all.send(Sighting.firing("a").in("g1"), Sighting.firing("b").in("g2"));
    assertThat(all.newest("g2").getInhibitedBy()).isNotNull();
    all.ask(Ask.merge("r1", all.newest("g1"), OTHER)).after(Duration.ofMillis(1)).tick();
    assertThat(all.newest("g2").getInhibitedBy()).isNull();
  }

  @Test
  void merges_needVersionThree() {
    log.send(Sighting.firing("cpu"));
    for (Command each :
        List.of(Ask.merge("r", log.only(), OTHER), Ask.mergedFrom("r", log.only(), OTHER))) {
      assertThat(Fold.versionNeeded(LogEntries.of(each))).isEqualTo(3);
    }
    assertThat(Fold.versionNeeded(LogEntries.of(Ask.note("r", log.only(), "x")))).isEqualTo(2);
  }

  private void refused(Command command, String message) {
    Incident before = log.only();
    log.ask(command);
    Outcome outcome = log.outcome(command.getRequestId());
    assertThat(outcome.getCode()).isEqualTo(OutcomeCode.FAILED_PRECONDITION);
    assertThat(outcome.getMessage()).isEqualTo(message);
    assertThat(log.only()).isEqualTo(before);
  }
}
