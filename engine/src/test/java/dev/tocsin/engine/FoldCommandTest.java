package dev.tocsin.engine;

import static dev.tocsin.engine.Log.START_MS;
import static dev.tocsin.engine.Sighting.ended;
import static dev.tocsin.engine.Sighting.firing;
import static dev.tocsin.schemas.IncidentState.CLOSED;
import static dev.tocsin.schemas.IncidentState.DETECTED;
import static dev.tocsin.schemas.IncidentState.INVESTIGATING;
import static dev.tocsin.schemas.IncidentState.REMEDIATING;
import static dev.tocsin.schemas.IncidentState.RESOLVED;
import static dev.tocsin.schemas.IncidentState.TRIAGED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.Note;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.OutcomeCode;
import dev.tocsin.schemas.ResolvedBy;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.TimelineEntry;
import dev.tocsin.schemas.TimelineKind;
import dev.tocsin.schemas.UpdateIncident;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What a command does to the incident that it names. */
class FoldCommandTest {
  private static final Map<IncidentState, List<IncidentState>> ALLOWED =
      Map.of(
          DETECTED, List.of(TRIAGED, INVESTIGATING, REMEDIATING, RESOLVED),
          TRIAGED, List.of(INVESTIGATING, REMEDIATING, RESOLVED),
          INVESTIGATING, List.of(REMEDIATING, RESOLVED),
          REMEDIATING, List.of(INVESTIGATING, RESOLVED),
          RESOLVED, List.of(INVESTIGATING, CLOSED),
          CLOSED, List.of());

  private final Log log = new Log();

  // ---- create

  @Test
  void create_opensAnIncident() {
    log.after(Duration.ofSeconds(7)).ask(Ask.create("r", "mail"));
    Incident incident = log.only();
    assertThat(incident.getId()).isEqualTo(IncidentId.of(START_MS + 7000, 77, 1));
    assertThat(incident.getWorkspace()).isEqualTo("w");
    assertThat(incident.getSource()).isEqualTo("desk");
    assertThat(incident.getRoute()).isEqualTo(77);
    assertThat(incident.getTitle()).isEqualTo("title of mail");
    assertThat(incident.getDescription()).isEqualTo("description of mail");
    assertThat(incident.getSeverity()).isEqualTo(Severity.P2);
    assertThat(incident.getType()).isEqualTo(IncidentType.SECURITY);
    assertThat(incident.getState()).isEqualTo(DETECTED);
    assertThat(incident.getLabels()).isEqualTo(Map.of("service", "mail"));
    assertThat(incident.getMetadata()).isEqualTo(Map.of("ticket", "T-mail"));
    assertThat(incident.getAffectedResources()).containsExactly("host-mail");
    assertThat(incident.getRevision()).isEqualTo(1);
    assertThat(incident.getRulesVersion()).isEqualTo(1);
    assertThat(incident.getDistinctAlerts()).isZero();
    assertThat(incident.getActiveAlerts()).isZero();
    assertThat(incident.getAlerts()).isEmpty();
    assertThat(incident.getTimeline())
        .containsExactly(
            new TimelineEntry(
                START_MS + 7000, TimelineKind.OPENED, 1L, 0, "title of mail", "anna"));
    assertThat(log.tally().getOccurrences()).isZero();
    assertThat(log.tally().getLastSeenMs()).isEqualTo(START_MS + 7000);
    assertThat(log.eventTypes()).containsExactly(EventType.CREATED);
    assertThat(log.events.get(0).getIncident()).isEqualTo(incident);
    assertThat(log.events.get(0).getStateBefore()).isEqualTo(IncidentState.NONE);
    assertThat(log.counts().getOpened()).isEqualTo(1);
    assertThat(log.counts().getAlerts()).isZero();
    assertDone("r", incident, 1);
  }

  @Test
  void create_withoutASeverity_takesTheRules() {
    log.ask(Ask.create("r", "mail", Severity.UNSPECIFIED));
    assertThat(log.only().getSeverity()).isEqualTo(Severity.P3);
  }

  @Test
  void create_underAKnownKey_isThatIncident() {
    log.ask(Ask.create("r1", "mail")).ask(note("r2", "seen"));
    Incident before = log.only();
    log.ask(Ask.create("r3", "mail", Severity.P0));
    assertThat(log.only()).isEqualTo(before);
    assertDone("r3", before, 2);
    assertThat(log.events).hasSize(2);
    assertThat(log.counts().getOpened()).isEqualTo(1);
  }

  @Test
  void create_underAKeyWhoseIncidentHasLeft_opensAnother() {
    log.ask(Ask.create("r1", "mail")).ask(Ask.move("r2", log.only(), RESOLVED));
    Incident first = log.only();
    log.after(Duration.ofDays(37).minusMillis(1)).ask(Ask.create("r3", "mail"));
    assertThat(log.only().getId()).as("CLOSED, but kept").isEqualTo(first.getId());
    log.after(Duration.ofMillis(1)).ask(Ask.create("r4", "mail"));
    assertThat(log.only().getId()).isNotEqualTo(first.getId());
  }

  // ---- states

  static Stream<Arguments> transitions() {
    List<IncidentState> states = List.of(IncidentState.values());
    return states.stream()
        .filter(from -> from != IncidentState.NONE)
        .flatMap(from -> states.stream().map(to -> Arguments.of(from, to)));
  }

  @ParameterizedTest
  @MethodSource("transitions")
  void state_followsTheTable(IncidentState from, IncidentState to) {
    Incident before = in(from);
    int events = log.events.size();
    log.after(Duration.ofMinutes(1)).ask(Ask.move("it", before, to));
    Incident after = log.only();
    if (from == to) {
      assertThat(after).isEqualTo(before);
      assertDone("it", before, before.getRevision());
    } else if (ALLOWED.get(from).contains(to)) {
      assertThat(after.getState()).isEqualTo(to);
      assertThat(after.getRevision()).isEqualTo(before.getRevision() + 1);
      assertThat(after.getUpdatedAtMs()).isEqualTo(log.nowMs());
      assertThat(last(after).getActor()).isEqualTo("anna");
      assertThat(log.events).hasSize(events + 1);
      assertThat(log.events.get(events).getStateBefore()).isEqualTo(from);
      assertDone("it", after, after.getRevision());
    } else {
      assertThat(after).isEqualTo(before);
      assertThat(log.events).hasSize(events);
      Outcome outcome = log.outcome("it");
      assertThat(outcome.getCode()).isEqualTo(OutcomeCode.FAILED_PRECONDITION);
      assertThat(outcome.getMessage()).contains(from.name(), to.name());
      ALLOWED.get(from).forEach(each -> assertThat(outcome.getMessage()).contains(each.name()));
      assertThat(outcome.getIncident()).isEqualTo(before.getId());
      assertThat(outcome.getRevision()).isEqualTo(before.getRevision());
    }
  }

  @Test
  void state_refused_saysWhatIsAllowed() {
    assertThat(refusal(in(TRIAGED), DETECTED))
        .isEqualTo(
            "an incident that is TRIAGED cannot become DETECTED;"
                + " it can become INVESTIGATING or REMEDIATING or RESOLVED");
  }

  @Test
  void state_refusedAfterClosed_saysThatItIsFinal() {
    assertThat(refusal(in(CLOSED), RESOLVED))
        .isEqualTo("an incident that is CLOSED cannot become RESOLVED; CLOSED is final");
  }

  @Test
  void states_onTheWay_areALine() {
    log.ask(Ask.create("r", "mail")).ask(Ask.move("s", log.only(), TRIAGED));
    assertThat(last(log.only()).getKind()).isEqualTo(TimelineKind.STATE_CHANGED);
    assertThat(last(log.only()).getText()).isEqualTo("TRIAGED");
    assertThat(log.eventTypes()).endsWith(EventType.UPDATED);
  }

  @Test
  void resolve_isByAPerson_andIsClosedByTime() {
    log.ask(Ask.create("r", "mail"));
    log.after(Duration.ofHours(1))
        .ask(
            Ask.update(
                "s",
                log.only(),
                asked -> {
                  asked.setState(RESOLVED);
                  asked.setResolution("rebooted");
                }));
    Incident incident = log.only();
    assertThat(incident.getResolvedBy()).isEqualTo(ResolvedBy.PERSON);
    assertThat(incident.getResolvedAtMs()).isEqualTo(log.nowMs());
    assertThat(last(incident))
        .isEqualTo(
            new TimelineEntry(log.nowMs(), TimelineKind.RESOLVED, 2L, 0, "rebooted", "anna"));
    assertThat(log.eventTypes()).endsWith(EventType.RESOLVED);
    log.after(Duration.ofDays(7)).tick();
    assertThat(log.only().getState()).isEqualTo(CLOSED);
    assertThat(last(log.only()).getActor()).as("time did it").isEmpty();
  }

  @Test
  void close_isFinal_andLeavesAfterTheRetention() {
    Incident incident = in(CLOSED);
    assertThat(incident.getClosedAtMs()).isEqualTo(log.nowMs());
    assertThat(last(incident).getKind()).isEqualTo(TimelineKind.CLOSED);
    assertThat(log.eventTypes()).endsWith(EventType.CLOSED);
    log.after(Duration.ofDays(30).minusMillis(1)).tick();
    assertThat(log.only()).isEqualTo(incident);
    log.after(Duration.ofMillis(1)).tick();
    assertThat(log.incidents()).isEmpty();
  }

  @Test
  void reopen_takesBackTheResolution() {
    log.ask(Ask.move("s", in(RESOLVED), INVESTIGATING));
    Incident incident = log.only();
    assertThat(incident.getResolvedAtMs()).isZero();
    assertThat(incident.getResolvedBy()).isEqualTo(ResolvedBy.NOBODY);
    assertThat(incident.getReopened()).isEqualTo(1);
    assertThat(last(incident).getKind()).isEqualTo(TimelineKind.REOPENED);
    assertThat(log.eventTypes()).endsWith(EventType.REOPENED);
    log.after(Duration.ofDays(60)).tick();
    assertThat(log.only().getState()).as("its closing is off").isEqualTo(INVESTIGATING);
  }

  @Test
  void reopen_ofOneThatAlertsResolved_isAllowedAtAnyTime() {
    log.send(firing("cpu"), ended("cpu")).after(Duration.ofDays(2));
    log.ask(Ask.move("s", log.only(), INVESTIGATING)).send(firing("cpu"));
    assertThat(log.only().getState()).isEqualTo(INVESTIGATING);
    assertThat(log.only().getActiveAlerts()).isEqualTo(1);
  }

  @Test
  void reopen_isRefused_whileItsGroupHasANewerOne() {
    log.send(firing("cpu")).ask(Ask.move("s", log.only(), RESOLVED)).send(firing("disk"));
    Incident older = log.incidents().get(0);
    Incident newer = log.newest("g");
    assertThat(refusal(older, INVESTIGATING))
        .isEqualTo(
            "an incident that is RESOLVED cannot become INVESTIGATING, because %s is a newer one of the same group; it can become CLOSED"
                .formatted(IncidentId.text(newer.getId())));
  }

  @Test
  void reopen_afterTheNewerOneHasLeft_makesItTheGroupsOneAgain() {
    var rules = DefaultRules.read();
    rules.setVersion(2);
    rules.setCloseAfterMs(Duration.ofDays(100).toMillis());
    rules.setRetentionMs(Duration.ofDays(1).toMillis());
    log.append(LogEntries.of(new RulesActivated(rules)));
    log.send(firing("cpu")).ask(Ask.move("s1", log.only(), RESOLVED)).send(firing("disk"));
    log.ask(Ask.move("s2", log.newest("g"), RESOLVED));
    log.ask(Ask.move("s3", log.newest("g"), CLOSED));
    log.after(Duration.ofDays(2)).tick();
    log.ask(Ask.move("s4", log.only(), INVESTIGATING));
    assertThat(log.outcome("s4").getCode()).isEqualTo(OutcomeCode.DONE);
    log.send(firing("net"));
    assertThat(log.only().getDistinctAlerts()).isEqualTo(2);
  }

  // ---- fields

  @Test
  void update_isOneRevision_oneEvent_andALineForEachKind() {
    log.ask(Ask.create("r", "mail")).after(Duration.ofMinutes(1));
    log.ask(
        Ask.update(
            "s",
            log.only(),
            asked -> {
              asked.setState(INVESTIGATING);
              asked.setSeverity(Severity.P0);
              asked.setTitle("new title");
              asked.setDescription("new description");
              asked.setAssignee("ben");
              asked.setSetLabels(Map.of("team", "core"));
              asked.setRemoveLabels(List.of("service", "unknown"));
            }));
    Incident incident = log.only();
    assertThat(incident.getRevision()).isEqualTo(2);
    assertThat(incident.getState()).isEqualTo(INVESTIGATING);
    assertThat(incident.getSeverity()).isEqualTo(Severity.P0);
    assertThat(incident.getTitle()).isEqualTo("new title");
    assertThat(incident.getDescription()).isEqualTo("new description");
    assertThat(incident.getAssignee()).isEqualTo("ben");
    assertThat(incident.getLabels()).isEqualTo(Map.of("team", "core"));
    assertThat(incident.getTimeline().subList(1, 5))
        .extracting(line -> line.getKind() + " " + line.getText() + " " + line.getActor())
        .containsExactly(
            "EDITED title, description, labels anna",
            "SEVERITY_CHANGED P0 anna",
            "ASSIGNED ben anna",
            "STATE_CHANGED INVESTIGATING anna");
    assertThat(log.eventTypes()).containsExactly(EventType.CREATED, EventType.UPDATED);
    IncidentEvent event = log.events.get(1);
    assertThat(event.getSeverityBefore()).isEqualTo(Severity.P2);
    assertThat(event.getStateBefore()).isEqualTo(DETECTED);
    assertDone("s", incident, 2);
  }

  @Test
  void update_toWhatIsAlready_isDone_andNoRevision() {
    log.ask(Ask.create("r", "mail"));
    Incident before = log.only();
    log.ask(
        Ask.update(
            "s",
            before,
            asked -> {
              asked.setState(DETECTED);
              asked.setSeverity(Severity.P2);
              asked.setTitle("title of mail");
              asked.setDescription("description of mail");
              asked.setAssignee("");
              asked.setSetLabels(Map.of("service", "mail"));
              asked.setRemoveLabels(List.of("unknown"));
            }));
    assertThat(log.only()).isEqualTo(before);
    assertThat(log.events).hasSize(1);
    assertDone("s", before, 1);
  }

  @Test
  void severity_mayImprove_andOnlyWhatIsWorseThanBeforeMakesItWorseAgain() {
    log.send(firing("cpu").as(Severity.P1), firing("disk").as(Severity.P2));
    log.ask(Ask.update("s", log.only(), asked -> asked.setSeverity(Severity.P4)));
    Incident said = log.only();
    assertThat(said.getSeverity()).isEqualTo(Severity.P4);
    log.send(firing("cpu").as(Severity.P1), firing("disk").as(Severity.P2));
    log.after(Duration.ofHours(1)).send(firing("cpu").as(Severity.P3));
    log.restart().send(firing("cpu").as(Severity.P1));
    assertThat(log.only()).as("repeats are no news to whoever said so").isEqualTo(said);
    log.send(firing("disk").as(Severity.P1));
    assertThat(log.only().getSeverity()).isEqualTo(Severity.P1);
    assertThat(last(log.only()).getKind()).isEqualTo(TimelineKind.SEVERITY_RAISED);
    log.ask(Ask.update("t", log.only(), asked -> asked.setSeverity(Severity.UNSPECIFIED)));
    assertThat(log.only().getSeverity()).as("unsaid").isEqualTo(Severity.P1);
    assertThat(log.outcome("t").getCode()).isEqualTo(OutcomeCode.DONE);
  }

  @Test
  void severityThatAPersonImproved_isWorseAgain_withWhatJoinsOrFiresAnew() {
    log.send(firing("cpu").as(Severity.P1), firing("disk").as(Severity.P4));
    log.ask(Ask.update("s", log.only(), asked -> asked.setSeverity(Severity.P4)));
    log.send(firing("net").as(Severity.P3));
    assertThat(log.only().getSeverity()).as("joins").isEqualTo(Severity.P3);
    log.send(ended("cpu"), firing("cpu").as(Severity.P2));
    assertThat(log.only().getSeverity()).as("fires anew").isEqualTo(Severity.P2);
    log.send(firing("cpu").as(Severity.P1));
    assertThat(log.only().getSeverity()).as("and is worse than it was").isEqualTo(Severity.P1);
  }

  @Test
  void mutedSightings_doNotCountAsTheConditionsSeverity() {
    log.send(firing("cpu").as(Severity.P3));
    log.ask(Ask.move("s", log.only(), RESOLVED));
    log.send(firing("cpu").as(Severity.P1));
    log.ask(Ask.move("t", log.only(), INVESTIGATING));
    log.send(firing("cpu").as(Severity.P1));
    assertThat(log.only().getSeverity()).isEqualTo(Severity.P1);
  }

  /** Else what is stored, and digests of it, would depend on the machine. */
  @Test
  void words_areTheSameInEveryCountry() {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
    try {
      log.ask(Ask.create("r", "mail"));
      Command stale = Ask.note("s", log.only(), "late");
      stale.setExpectedRevision(12345);
      log.ask(stale);
    } finally {
      Locale.setDefault(before);
    }
    assertThat(log.outcome("s").getMessage())
        .isEqualTo("the incident is at revision 1, not at 12345");
  }

  @Test
  void assignee_mayBeNobody() {
    log.ask(Ask.create("r", "mail"));
    log.ask(Ask.update("s", log.only(), asked -> asked.setAssignee("ben")));
    log.ask(Ask.update("t", log.only(), asked -> asked.setAssignee("")));
    assertThat(log.only().getAssignee()).isEmpty();
    assertThat(last(log.only()).getKind()).isEqualTo(TimelineKind.ASSIGNED);
    assertThat(last(log.only()).getText()).isEmpty();
  }

  @Test
  void labels_areBounded_afterTheChange() {
    log.ask(Ask.create("r", "mail"));
    Map<String, String> full = new HashMap<>();
    IntStream.range(0, 63).forEach(i -> full.put("l" + i, "x"));
    log.ask(Ask.update("s", log.only(), asked -> asked.setSetLabels(full)));
    assertThat(log.only().getLabels()).hasSize(64);
    Incident before = log.only();
    log.ask(
        Ask.update(
            "t",
            before,
            asked -> {
              asked.setSetLabels(Map.of("one", "more"));
              asked.setTitle("not this either");
            }));
    assertThat(log.only()).isEqualTo(before);
    assertThat(log.outcome("t").getCode()).isEqualTo(OutcomeCode.FAILED_PRECONDITION);
    assertThat(log.outcome("t").getMessage()).contains("65 labels").contains("64");
    log.ask(
        Ask.update(
            "u",
            before,
            asked -> {
              asked.setSetLabels(Map.of("one", "more"));
              asked.setRemoveLabels(List.of("l0"));
            }));
    assertThat(log.only().getLabels()).hasSize(64).containsKey("one").doesNotContainKey("l0");
  }

  @Test
  void closed_takesNothingButNotes() {
    Incident closed = in(CLOSED);
    log.ask(Ask.update("s", closed, asked -> asked.setTitle("other")));
    assertThat(log.outcome("s").getCode()).isEqualTo(OutcomeCode.FAILED_PRECONDITION);
    assertThat(log.outcome("s").getMessage()).contains("CLOSED").contains("notes");
    log.ask(Ask.update("t", closed, asked -> asked.setTitle(closed.getTitle())));
    assertThat(log.outcome("t").getCode()).as("no change").isEqualTo(OutcomeCode.DONE);
    assertThat(log.only()).isEqualTo(closed);
  }

  // ---- notes

  @ParameterizedTest
  @EnumSource(value = IncidentState.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void note_isAddedInAnyState(IncidentState state) {
    Incident before = in(state);
    log.after(Duration.ofMinutes(1)).ask(note("s", "seen"));
    Incident after = log.only();
    assertThat(after.getState()).isEqualTo(state);
    assertThat(after.getNotes()).containsExactly(new Note(log.nowMs(), "anna", "seen"));
    assertThat(after.getNotesAdded()).isEqualTo(1);
    assertThat(after.getRevision()).isEqualTo(before.getRevision() + 1);
    assertThat(last(after).getKind()).isEqualTo(TimelineKind.NOTE_ADDED);
    assertThat(last(after).getActor()).isEqualTo("anna");
    assertThat(log.eventTypes()).endsWith(EventType.UPDATED);
    assertDone("s", after, after.getRevision());
  }

  @Test
  void notes_keepTheNewest_andTheirNumberStaysExact() {
    log.ask(Ask.create("r", "mail"));
    IntStream.range(0, 50).forEach(i -> log.ask(note("s" + i, "note " + i)));
    assertThat(log.only().getNotes()).hasSize(20);
    assertThat(log.only().getNotes().get(0).getText()).isEqualTo("note 30");
    assertThat(log.only().getNotesAdded()).isEqualTo(50);
  }

  // ---- refusals

  @Test
  void revision_thatIsNotExpected_isAborted() {
    log.ask(Ask.create("r", "mail")).ask(note("s", "one"));
    Incident before = log.only();
    log.ask(expecting(1, Ask.move("t", before, TRIAGED)));
    assertThat(log.only()).isEqualTo(before);
    assertThat(log.outcome("t").getCode()).isEqualTo(OutcomeCode.ABORTED);
    assertThat(log.outcome("t").getMessage()).isEqualTo("the incident is at revision 2, not at 1");
    log.ask(expecting(2, Ask.move("u", before, TRIAGED)));
    assertDone("u", log.only(), 3);
    log.ask(expecting(2, note("v", "late")));
    assertThat(log.outcome("v").getCode()).isEqualTo(OutcomeCode.ABORTED);
  }

  @Test
  void revision_isLookedAtBeforeTheState() {
    Incident closed = in(CLOSED);
    log.ask(expecting(1, Ask.move("t", closed, TRIAGED)));
    assertThat(log.outcome("t").getCode()).isEqualTo(OutcomeCode.ABORTED);
  }

  @Test
  void incident_thatIsNotThere_isNotFound() {
    log.ask(Ask.create("r", "mail"));
    Incident before = log.only();
    Incident unknown = Copies.of(before);
    unknown.setId(IncidentId.of(1, 2, 3));
    assertNotFound(Ask.move("s", unknown, TRIAGED));
    assertNotFound(Ask.note("t", unknown, "text"));
    assertNotFound(Ask.of("u", null, UpdateIncident.newBuilder().build()));
    assertThat(log.only()).isEqualTo(before);
  }

  @Test
  void incident_ofAnotherWorkspace_isNotFound() {
    log.ask(Ask.create("r", "mail"));
    Incident before = log.only();
    Command foreign = Ask.move("s", before, TRIAGED);
    foreign.setWorkspace("v");
    log.ask(foreign);
    assertThat(log.only()).isEqualTo(before);
    assertThat(log.outcome("s")).isNull();
    assertThat(log.store.outcome(Outcomes.key("v", "s")).getCode())
        .isEqualTo(OutcomeCode.NOT_FOUND);
  }

  // ---- leaving

  @Test
  void removal_isAnEvent_sinceVersion2() {
    log.engine(2);
    Incident closed = in(CLOSED);
    log.after(Duration.ofDays(30)).tick();
    IncidentEvent last = log.events.get(log.events.size() - 1);
    assertThat(last.getType()).isEqualTo(EventType.REMOVED);
    assertThat(last.getIncident()).isEqualTo(closed);
    assertThat(last.getStateBefore()).isEqualTo(CLOSED);
    assertThat(last.getSeverityBefore()).isEqualTo(closed.getSeverity());
    assertThat(last.getSequence()).isEqualTo(log.counts().getSequence());
    assertThat(log.store.tallies.size()).isZero();
  }

  @Test
  void removal_isNoEvent_inVersion1() {
    in(CLOSED);
    log.after(Duration.ofDays(30)).tick();
    assertThat(log.incidents()).isEmpty();
    assertThat(log.eventTypes()).endsWith(EventType.CLOSED);
  }

  @Test
  void engineVersion_isRaised_andNeverLowered() {
    assertThat(log.counts().getEngineVersion()).isEqualTo(1);
    log.engine(2).engine(1).tick();
    assertThat(log.counts().getEngineVersion()).isEqualTo(2);
  }

  // ---- help

  /** An incident in this state, by the shortest way. */
  private Incident in(IncidentState state) {
    log.ask(Ask.create("made", "mail"));
    if (state == CLOSED) {
      log.ask(Ask.move("made 2", log.only(), RESOLVED));
      log.ask(Ask.move("made 3", log.only(), CLOSED));
    } else if (state != DETECTED) {
      log.ask(Ask.move("made 2", log.only(), state));
    }
    assertThat(log.only().getState()).isEqualTo(state);
    return log.only();
  }

  private String refusal(Incident incident, IncidentState to) {
    log.ask(Ask.move("refused " + incident.getState(), incident, to));
    Outcome outcome = log.outcome("refused " + incident.getState());
    assertThat(outcome.getCode()).isEqualTo(OutcomeCode.FAILED_PRECONDITION);
    return outcome.getMessage();
  }

  private Command note(String requestId, String text) {
    return Ask.note(requestId, log.only(), text);
  }

  private static Command expecting(long revision, Command command) {
    command.setExpectedRevision(revision);
    return command;
  }

  private void assertDone(String requestId, Incident incident, long revision) {
    Outcome outcome = log.outcome(requestId);
    assertThat(outcome.getCode()).isEqualTo(OutcomeCode.DONE);
    assertThat(outcome.getMessage()).isEmpty();
    assertThat(outcome.getIncident()).isEqualTo(incident.getId());
    assertThat(outcome.getRevision()).isEqualTo(revision);
    assertThat(outcome.getAtMs()).isEqualTo(log.nowMs());
  }

  private void assertNotFound(Command command) {
    log.ask(command);
    Outcome outcome = log.outcome(command.getRequestId());
    assertThat(outcome.getCode()).isEqualTo(OutcomeCode.NOT_FOUND);
    assertThat(outcome.getIncident()).isEqualTo((Key128) null);
  }

  private static TimelineEntry last(Incident incident) {
    return incident.getTimeline().get(incident.getTimeline().size() - 1);
  }
}
