package dev.tocsin.engine;

import static dev.tocsin.engine.Log.START_MS;
import static dev.tocsin.engine.Sighting.ended;
import static dev.tocsin.engine.Sighting.firing;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.TimelineKind;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What an alert does when it comes. */
class FoldAlertTest {
  private final Log log = new Log();

  @Test
  void firing_opensAnIncident() {
    log.after(Duration.ofSeconds(7)).send(firing("cpu").as(Severity.P2));

    Incident incident = log.only();
    long route = firing("cpu").alert(0).getRoute();
    assertThat(incident.getId()).isEqualTo(IncidentId.of(START_MS + 7000, route, 1));
    assertThat(incident.getWorkspace()).isEqualTo("w");
    assertThat(incident.getSource()).isEqualTo("s-g");
    assertThat(incident.getGroup()).isEqualTo(Sighting.key("g"));
    assertThat(incident.getRoute()).isEqualTo(route);
    assertThat(incident.getTitle()).isEqualTo("title of cpu");
    assertThat(incident.getDescription()).isEqualTo("description of cpu");
    assertThat(incident.getSeverity()).isEqualTo(Severity.P2);
    assertThat(incident.getType()).isEqualTo(IncidentType.APPLICATION);
    assertThat(incident.getState()).isEqualTo(IncidentState.DETECTED);
    assertThat(incident.getLabels()).isEqualTo(Map.of("service", "g"));
    assertThat(incident.getMetadata()).isEqualTo(Map.of("runbook", "cpu"));
    assertThat(incident.getAffectedResources()).containsExactly("host-cpu");
    assertThat(incident.getCreatedAtMs()).isEqualTo(START_MS + 7000);
    assertThat(incident.getUpdatedAtMs()).isEqualTo(START_MS + 7000);
    assertThat(incident.getOpenedOffset()).isEqualTo(1);
    assertThat(incident.getOpenedIndex()).isZero();
    assertThat(incident.getRulesVersion()).isEqualTo(1);
    assertThat(incident.getRevision()).isEqualTo(1);
    assertThat(incident.getDistinctAlerts()).isEqualTo(1);
    assertThat(incident.getActiveAlerts()).isEqualTo(1);
    assertThat(Log.timeline(incident)).containsExactly(TimelineKind.OPENED);
    assertThat(log.tally().getOccurrences()).isEqualTo(1);
    assertThat(log.tally().getLastSeenMs()).isEqualTo(START_MS + 7000);
    assertThat(log.eventTypes()).containsExactly(EventType.CREATED);
    assertThat(log.events.get(0).getIncident()).isEqualTo(incident);
    assertThat(log.events.get(0).getLogOffset()).isEqualTo(1);
    assertThat(log.events.get(0).getSequence()).isEqualTo(1);
    assertThat(log.counts().getAppliedOffset()).isEqualTo(2);
  }

  @Test
  void redelivery_changesNothing() {
    log.send(firing("cpu").id("a"));
    Incident before = log.only();
    log.after(Duration.ofHours(1).minusMillis(1));
    log.send(firing("cpu").id("a"), firing("cpu").id("a").as(Severity.P0).endsAt(START_MS + 1));
    assertThat(log.only()).isEqualTo(before);
    assertThat(log.tally().getOccurrences()).isEqualTo(1);
    assertThat(log.tally().getLastSeenMs()).isEqualTo(START_MS);
    assertThat(log.counts().getRedelivered()).isEqualTo(2);
    assertThat(log.events).hasSize(1);
  }

  @Test
  void redelivery_isRecognizedWithinOneEntry() {
    log.send(firing("cpu").id("a"), firing("cpu").id("a"), firing("cpu").id("b"));
    assertThat(log.tally().getOccurrences()).isEqualTo(2);
    assertThat(log.counts().getRedelivered()).isEqualTo(1);
  }

  @Test
  void redelivery_afterTheWindow_isARepeat() {
    log.send(firing("cpu").id("a")).after(Duration.ofHours(1)).send(firing("cpu").id("a"));
    assertThat(log.tally().getOccurrences()).isEqualTo(2);
    assertThat(log.counts().getRedelivered()).isZero();
  }

  @Test
  void firingThenResolved_underOneId_areTwo() {
    log.send(firing("cpu").id("a")).send(ended("cpu").id("a")).send(ended("cpu").id("a"));
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.counts().getResolved()).isEqualTo(1);
    assertThat(log.counts().getRedelivered()).isEqualTo(1);
  }

  @Test
  void oneId_onTwoRoutes_isTwo() {
    log.send(firing("cpu").id("a").in("g1")).send(firing("cpu").id("a").in("g2"));
    assertThat(log.incidents()).hasSize(2);
    assertThat(log.counts().getRedelivered()).isZero();
  }

  @Test
  void idOfTheEdge_isNeverRecognizedAgain() {
    log.send(firing("cpu")).send(firing("cpu"));
    assertThat(log.tally().getOccurrences()).isEqualTo(2);
  }

  @Test
  void repeat_countsAndMovesLastSeen_butNotTheRevision() {
    log.send(firing("cpu"));
    Incident before = log.only();
    log.after(Duration.ofSeconds(30)).send(firing("cpu"), firing("cpu"));
    assertThat(log.only()).isEqualTo(before);
    assertThat(log.tally().getOccurrences()).isEqualTo(3);
    assertThat(log.tally().getLastSeenMs()).isEqualTo(START_MS + 30_000);
  }

  @Test
  void anotherCondition_ofAnOpenGroup_joins() {
    log.send(firing("cpu")).after(Duration.ofMinutes(1)).send(firing("disk"));
    Incident incident = log.only();
    assertThat(incident.getDistinctAlerts()).isEqualTo(2);
    assertThat(incident.getActiveAlerts()).isEqualTo(2);
    assertThat(incident.getRevision()).isEqualTo(2);
    assertThat(incident.getTitle()).isEqualTo("title of cpu");
    assertThat(incident.getAlerts())
        .extracting(alert -> alert.getTitle())
        .containsExactly("title of cpu", "title of disk");
    assertThat(Log.timeline(incident))
        .containsExactly(TimelineKind.OPENED, TimelineKind.ALERT_JOINED);
    assertThat(log.eventTypes()).containsExactly(EventType.CREATED, EventType.UPDATED);
    assertThat(log.tally().getOccurrences()).isEqualTo(2);
  }

  @Test
  void oneCondition_inTwoGroups_isTwo() {
    log.send(firing("cpu").in("g1"), firing("cpu").in("g2"), ended("cpu").in("g1"));
    assertThat(log.newest("g1").getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.newest("g2").getState()).isEqualTo(IncidentState.DETECTED);
  }

  @Test
  void severity_becomesTheWorst_andNeverImprovesByItself() {
    log.send(firing("cpu").as(Severity.P3)).send(firing("disk").as(Severity.P4));
    assertThat(log.only().getSeverity()).isEqualTo(Severity.P3);
    log.send(firing("net").as(Severity.P0));
    assertThat(log.only().getSeverity()).isEqualTo(Severity.P0);
    log.send(ended("net")).send(firing("net").as(Severity.P4)).send(firing("cpu").as(Severity.P2));
    assertThat(log.only().getSeverity()).isEqualTo(Severity.P0);
  }

  @Test
  void severity_ofARepeat_isAChangeIfItIsWorse() {
    log.send(firing("cpu").as(Severity.P3)).send(firing("cpu").as(Severity.P1));
    assertThat(log.only().getSeverity()).isEqualTo(Severity.P1);
    assertThat(log.only().getRevision()).isEqualTo(2);
    assertThat(log.only().getDistinctAlerts()).isEqualTo(1);
    assertThat(Log.timeline(log.only()))
        .containsExactly(TimelineKind.OPENED, TimelineKind.SEVERITY_RAISED);
    assertThat(log.eventTypes()).containsExactly(EventType.CREATED, EventType.UPDATED);
  }

  @Test
  void resolved_endsItsCondition_andWithTheLastOneTheIncident() {
    log.send(firing("cpu"), firing("disk")).after(Duration.ofMinutes(1)).send(ended("cpu"));
    assertThat(log.only().getState()).isEqualTo(IncidentState.DETECTED);
    assertThat(log.only().getActiveAlerts()).isEqualTo(1);
    log.after(Duration.ofMinutes(1)).send(ended("disk"));
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.only().getResolvedAtMs()).isEqualTo(START_MS + 120_000);
    assertThat(log.only().getRevision()).isEqualTo(4);
    assertThat(log.counts().getResolved()).isEqualTo(2);
    assertThat(Log.timeline(log.only()))
        .containsExactly(
            TimelineKind.OPENED,
            TimelineKind.ALERT_JOINED,
            TimelineKind.ALERT_RESOLVED,
            TimelineKind.ALERT_RESOLVED,
            TimelineKind.RESOLVED);
    assertThat(log.eventTypes())
        .containsExactly(
            EventType.CREATED, EventType.UPDATED, EventType.UPDATED, EventType.RESOLVED);
  }

  @Test
  void resolved_thatMatchesNothing_isCountedAndOpensNothing() {
    log.send(ended("cpu"));
    assertThat(log.incidents()).isEmpty();
    assertThat(log.counts().getUnmatched()).isEqualTo(1);
    log.send(firing("disk")).send(ended("disk")).send(ended("disk"));
    assertThat(log.counts().getUnmatched()).isEqualTo(2);
    assertThat(log.only().getRevision()).isEqualTo(2);
  }

  @Test
  void firing_fromBeforeItsResolved_opensNothing() {
    log.send(ended("cpu").firedAt(START_MS - 1000)).send(firing("cpu").firedAt(START_MS - 1001));
    assertThat(log.incidents()).isEmpty();
    assertThat(log.counts().getStale()).isEqualTo(1);
    log.send(firing("cpu").firedAt(START_MS - 1000));
    assertThat(log.only().getState()).isEqualTo(IncidentState.DETECTED);
  }

  @Test
  void firing_fromBeforeItsResolved_reopensNothing() {
    log.send(firing("cpu").firedAt(START_MS - 5000)).send(ended("cpu").firedAt(START_MS - 1000));
    log.send(firing("cpu").firedAt(START_MS - 3000));
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.counts().getStale()).isEqualTo(1);
    assertThat(log.counts().getOccurrences()).isEqualTo(1);
  }

  @Test
  void firing_fromBeforeItsResolved_countsInAnOpenIncident_butDoesNotFireAgain() {
    log.send(firing("cpu"), firing("disk")).send(ended("cpu").firedAt(START_MS));
    log.send(firing("cpu").firedAt(START_MS - 1));
    assertThat(log.only().getActiveAlerts()).isEqualTo(1);
    assertThat(log.tally().getOccurrences()).isEqualTo(3);
    log.send(firing("cpu").firedAt(START_MS));
    assertThat(log.only().getActiveAlerts()).isEqualTo(2);
    assertThat(log.only().getDistinctAlerts()).isEqualTo(2);
    assertThat(Log.timeline(log.only())).endsWith(TimelineKind.ALERT_REFIRED);
  }

  @Test
  void endsAt_takesTheSourcesWordForWhenItEnded() {
    log.send(ended("cpu").endsAt(START_MS - 1000)).send(firing("cpu").firedAt(START_MS - 500));
    assertThat(log.incidents()).hasSize(1);
  }

  @Test
  void resolved_fromTheFuture_silencesNothing() {
    log.send(ended("cpu").firedAt(START_MS + Duration.ofDays(1).toMillis()));
    log.after(Duration.ofMillis(1)).send(firing("cpu"));
    assertThat(log.incidents()).hasSize(1);
  }

  @Test
  void endsAt_thatHasPassed_ends() {
    log.send(firing("cpu")).after(Duration.ofMinutes(1)).send(firing("cpu").endsAt(log.nowMs()));
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.counts().getResolved()).isEqualTo(1);
    assertThat(log.counts().getOccurrences()).isEqualTo(1);
  }

  @Test
  void endsAt_thatHasPassed_opensNothing() {
    log.send(firing("cpu").endsAt(START_MS - 1));
    assertThat(log.incidents()).isEmpty();
    assertThat(log.counts().getUnmatched()).isEqualTo(1);
  }

  @Test
  void ids_areCountedUpWhileTaken() {
    int routesIncidents = IncidentId.PER_ROUTE_AND_MS + 3;
    log.send(
        IntStream.range(0, routesIncidents)
            .mapToObj(i -> firing("cpu").in("g" + i).via("one"))
            .toArray(Sighting[]::new));
    assertThat(new HashSet<>(log.store.incidents.all().keySet())).hasSize(routesIncidents);
    long route = firing("cpu").via("one").alert(0).getRoute();
    List<Incident> all = log.incidents();
    assertThat(all).allMatch(incident -> IncidentId.route(incident.getId()) == route);
    assertThat(all.stream().map(Incident::getId))
        .contains(
            IncidentId.of(START_MS, route, 1),
            IncidentId.of(START_MS, route, 2),
            IncidentId.of(START_MS, route, 0),
            IncidentId.of(START_MS + 1, route, 1),
            IncidentId.of(START_MS + 1, route, 3));
    assertThat(log.store.incident(IncidentId.of(START_MS, route, 3)).getOpenedIndex()).isEqualTo(2);
  }
}
