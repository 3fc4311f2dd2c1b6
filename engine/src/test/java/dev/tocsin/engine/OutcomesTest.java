package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.OutcomeCode;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Outcomes: kept, given again, forgotten, bounded. */
class OutcomesTest {
  private static final Duration WINDOW = Duration.ofHours(1);
  private static final Duration MS = Duration.ofMillis(1);

  private final Log log = new Log();

  @Test
  void sameRequestAgain_changesNothing() {
    log.ask(Ask.create("r", "mail"));
    Command note = Ask.note("s", log.only(), "once");
    log.ask(note);
    Incident before = log.only();
    Outcome outcome = log.outcome("s");
    log.after(WINDOW.minus(MS)).ask(note).ask(Ask.create("r", "mail"));
    assertThat(log.only()).isEqualTo(before);
    assertThat(log.outcome("s")).isEqualTo(outcome);
    assertThat(log.events).hasSize(2);
    assertThat(log.counts().getOutcomes()).isEqualTo(2);
  }

  @Test
  void refusal_isGivenAgain_evenIfItWouldBeDoneNow() {
    log.ask(Ask.create("r", "mail"));
    Command close = Ask.move("s", log.only(), IncidentState.CLOSED);
    log.ask(close).ask(Ask.move("t", log.only(), IncidentState.RESOLVED)).ask(close);
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.outcome("s").getCode()).isEqualTo(OutcomeCode.FAILED_PRECONDITION);
  }

  @Test
  void sameRequest_withAnotherContent_changesNothing_andTheFirstOutcomeStands() {
    log.ask(Ask.create("r", "mail"));
    Outcome first = log.outcome("r");
    Command other = Ask.note("r", log.only(), "other");
    log.ask(other);
    assertThat(log.only().getNotes()).isEmpty();
    assertThat(log.outcome("r")).isEqualTo(first);
    assertThat(first.getContent()).as("tells the two apart").isNotEqualTo(other.getContent());
  }

  @Test
  void sameRequestId_inAnotherWorkspace_isAnotherRequest() {
    log.ask(Ask.create("r", "mail"));
    Command other = Ask.create("r", "disk");
    other.setWorkspace("v");
    log.ask(other);
    assertThat(log.incidents()).hasSize(2);
  }

  @Test
  void outcome_isForgotten_afterItsWindow() {
    log.ask(Ask.create("r", "mail"));
    Command note = Ask.note("s", log.only(), "again");
    log.ask(note).after(WINDOW.minus(MS)).tick();
    assertThat(log.outcome("s")).isNotNull();
    log.after(MS).ask(note);
    assertThat(log.only().getNotesAdded()).as("it is another one by now").isEqualTo(2);
    assertThat(log.counts().getOutcomes()).isEqualTo(1);
    log.after(WINDOW).tick();
    assertThat(log.store.outcomes.size()).isZero();
    assertThat(log.counts().getOutcomes()).isZero();
    assertThat(log.timers(Timer.Kind.OUTCOME)).isZero();
  }

  @Test
  void outcome_isKeptAsLongAsNewRulesSay() {
    log.ask(Ask.create("r", "mail"));
    Rules longer = rules();
    longer.setOutcomeWindowMs(WINDOW.multipliedBy(3).toMillis());
    log.fold().apply(LogEntries.of(new RulesActivated(longer)), log.offset(), log.nowMs());
    Fold fold = log.fold();
    fold.apply(LogEntries.tick(), log.offset() + 1, log.nowMs() + 3 * WINDOW.toMillis() - 1);
    assertThat(log.outcome("r")).isNotNull();
    fold.apply(LogEntries.tick(), log.offset() + 2, log.nowMs() + 3 * WINDOW.toMillis());
    assertThat(log.outcome("r")).isNull();
  }

  @Test
  void beyondTheBound_commandsAreRefused_withoutEffectOrOutcome() {
    Rules tight = rules();
    tight.setOutcomesMax(2);
    log.append(LogEntries.of(new RulesActivated(tight)));
    log.ask(Ask.create("r1", "mail")).after(WINDOW.dividedBy(2)).ask(Ask.create("r2", "disk"));
    log.ask(Ask.create("r3", "net"));
    assertThat(log.incidents()).hasSize(2);
    assertThat(log.outcome("r3")).isNull();
    log.ask(Ask.create("r1", "mail"));
    assertThat(log.outcome("r1")).as("what is kept is given again").isNotNull();
    log.after(WINDOW.dividedBy(2)).ask(Ask.create("r3", "net"));
    assertThat(log.outcome("r3").getCode()).as("there is room again").isEqualTo(OutcomeCode.DONE);
    assertThat(log.incidents()).hasSize(3);
  }

  @Test
  void outcomes_surviveARestart() {
    log.ask(Ask.create("r", "mail"));
    Command note = Ask.note("s", log.only(), "once");
    log.ask(note).restart().ask(note);
    assertThat(log.only().getNotesAdded()).isEqualTo(1);
    assertThat(log.counts().getOutcomes()).isEqualTo(2);
  }

  @Test
  void key_isOfWorkspaceAndRequest() {
    assertThat(Outcomes.key("w", "r")).isEqualTo(Outcomes.key("w", "r"));
    assertThat(Outcomes.key("wr", "")).isNotEqualTo(Outcomes.key("w", "r"));
    assertThat(Outcomes.key("r", "w")).isNotEqualTo(Outcomes.key("w", "r"));
  }

  private static Rules rules() {
    Rules rules = DefaultRules.read();
    rules.setVersion(2);
    return rules;
  }
}
