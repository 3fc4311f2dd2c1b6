package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.Inhibition;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.MatchOperator;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.TimelineEntry;
import dev.tocsin.schemas.TimelineKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Open incidents that hide others. A down router, group "router", hides whatever is behind it. */
class InhibitionTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  private final Log log = new Log(rules(1, behind("router")));

  @Test
  void target_thatIsOpenIsHiddenWhenItsSourceOpens() {
    log.send(Sighting.firing("disk").in("db")).after(SECOND);
    long revision = log.newest("db").getRevision();
    log.send(Sighting.firing("down").in("router"));
    assertThat(log.newest("db").getInhibitedBy()).as("at the same moment").isNull();
    later(log);
    Incident hidden = log.newest("db");
    assertThat(hidden.getInhibitedBy()).isEqualTo(log.newest("router").getId());
    assertThat(hidden.getRevision()).isEqualTo(revision + 1);
    TimelineEntry line = hidden.getTimeline().get(1);
    assertThat(line.getKind()).isEqualTo(TimelineKind.INHIBITED);
    assertThat(line.getText()).isEqualTo("title of down");
    assertThat(line.getOffset()).as("the entry of the source").isEqualTo(log.offset() - 2);
    assertThat(log.eventTypes())
        .containsExactly(EventType.CREATED, EventType.CREATED, EventType.UPDATED);
    assertThat(last().getSuppressedBefore()).isFalse();
    assertThat(last().getIncident()).isEqualTo(hidden);
    assertThat(log.newest("router").getInhibitedBy()).isNull();
  }

  @Test
  void target_thatOpensLaterIsHiddenFromItsFirstEventOn() {
    log.send(Sighting.firing("down").in("router"), Sighting.firing("disk").in("db"));
    assertThat(Log.timeline(log.newest("db")))
        .containsExactly(TimelineKind.OPENED, TimelineKind.INHIBITED);
    assertThat(log.eventTypes()).containsExactly(EventType.CREATED, EventType.CREATED);
    assertThat(last().getIncident().getInhibitedBy()).isEqualTo(log.newest("router").getId());
    assertThat(log.newest("db").getRevision()).isEqualTo(1);
  }

  @Test
  void target_isShownWhenTheLastSourceIsOpenNoMore() {
    log.send(Sighting.firing("down").in("router"), Sighting.firing("disk").in("db"));
    later(log.after(SECOND).send(Sighting.ended("down").in("router")));
    Incident shown = log.newest("db");
    assertThat(shown.getInhibitedBy()).isNull();
    assertThat(Log.timeline(shown)).endsWith(TimelineKind.UNINHIBITED);
    assertThat(last().getType()).isEqualTo(EventType.UPDATED);
    assertThat(last().getSuppressedBefore()).isTrue();
    later(log.after(SECOND).send(Sighting.firing("down").in("router")));
    assertThat(log.newest("db").getInhibitedBy()).as("reopened").isNotNull();
    later(log.ask(Ask.move("r1", log.newest("router"), IncidentState.RESOLVED)));
    assertThat(log.newest("db").getInhibitedBy()).as("by a person").isNull();
    assertThat(log.newest("db").getTimeline()).last().hasFieldOrPropertyWithValue("actor", "anna");
  }

  /** However often an entry turns a source, its targets change once. */
  @Test
  void target_changesOnceForAllThatItsSourcesDoWithinAMoment() {
    log.send(Sighting.firing("disk").in("db")).after(SECOND);
    List<Sighting> turns = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      turns.add(Sighting.firing("down").in("router"));
      turns.add(Sighting.ended("down").in("router"));
    }
    turns.add(Sighting.firing("down").in("router"));
    log.send(turns.toArray(new Sighting[0]));
    long revision = log.newest("db").getRevision();
    later(log);
    assertThat(log.newest("db").getInhibitedBy()).isEqualTo(log.newest("router").getId());
    assertThat(log.newest("db").getRevision()).isEqualTo(revision + 1);
    assertThat(log.timers(Timer.Kind.INHIBITION)).isZero();
  }

  /** What has come or gone is known to its targets. */
  private static Log later(Log log) {
    return log.after(Duration.ofMillis(1)).tick();
  }

  @Test
  void severalSources_oldestIsNamedAndTheNextOneWhenItGoes() {
    Log two = new Log(rules(1, behind("r.*")));
    two.send(Sighting.firing("down").in("r1")).after(SECOND);
    two.send(Sighting.firing("down").in("r2"), Sighting.firing("disk").in("db"));
    assertThat(two.newest("db").getInhibitedBy()).isEqualTo(two.newest("r1").getId());
    int events = two.events.size();
    later(two.send(Sighting.ended("down").in("r1")));
    assertThat(two.newest("db").getInhibitedBy()).isEqualTo(two.newest("r2").getId());
    assertThat(two.events).hasSize(events + 2);
    later(two.send(Sighting.firing("down").in("r1")));
    assertThat(two.newest("db").getInhibitedBy()).as("stays").isEqualTo(two.newest("r2").getId());
    assertThat(two.events).hasSize(events + 3);
    later(two.send(Sighting.ended("down").in("r1"), Sighting.ended("down").in("r2")));
    assertThat(two.newest("db").getInhibitedBy()).isNull();
  }

  @Test
  void whatBothSidesMatch_isASourceOnly() {
    Inhibition all =
        new Inhibition("all", List.of(title("t.*")), List.of(title("t.*")), List.of("type"));
    Log alike = new Log(rules(1, all));
    alike.send(Sighting.firing("a").in("g1"), Sighting.firing("b").in("g2"));
    assertThat(alike.incidents()).extracting(Incident::getInhibitedBy).containsOnlyNulls();
  }

  @Test
  void otherValues_andOtherWorkspacesDoNotMeet() {
    log.send(Sighting.firing("down").in("router"));
    for (int i = 0; i < 2; i++) {
      var alert = Sighting.firing("disk").in("db" + i).alert(log.nowMs());
      if (i == 0) {
        alert.setWorkspace("v");
      } else {
        alert.setLabels(Map.of("site", "north"));
      }
      log.sendRaw(alert);
      assertThat(log.newest("db" + i).getInhibitedBy()).isNull();
    }
  }

  @Test
  void resolvedTarget_isHiddenNoMoreAndIsAskedAnewWhenItIsReopened() {
    log.send(Sighting.firing("down").in("router"), Sighting.firing("disk").in("db"));
    log.after(SECOND).send(Sighting.ended("disk").in("db"));
    assertThat(log.newest("db").getInhibitedBy()).isNull();
    assertThat(Log.timeline(log.newest("db"))).endsWith(TimelineKind.RESOLVED);
    assertThat(last().getSuppressedBefore()).isTrue();
    log.after(SECOND).send(Sighting.firing("disk").in("db"));
    assertThat(log.newest("db").getInhibitedBy()).isNotNull();
    assertThat(last().getType()).isEqualTo(EventType.REOPENED);
    assertThat(last().getSuppressedBefore()).isFalse();
  }

  @Test
  void whatComesLater_ofTitleAndSeverityChangesNothingWhileItIsOpen() {
    Inhibition minor =
        new Inhibition(
            "minor",
            List.of(new Matcher("source", MatchOperator.EQUAL, "s-router")),
            List.of(new Matcher("severity", MatchOperator.EQUAL, "P3")),
            List.of("type"));
    Log severe = new Log(rules(1, minor));
    severe.send(Sighting.firing("down").in("router").as(Severity.P1));
    severe.send(Sighting.firing("disk").in("db"));
    severe.send(Sighting.firing("fire").in("db").as(Severity.P0));
    assertThat(severe.newest("db").getInhibitedBy()).isNotNull();
    severe.send(Sighting.firing("x").in("db2").as(Severity.P0));
    assertThat(severe.newest("db2").getInhibitedBy()).isNull();
  }

  @Test
  void incident_thatAPersonOpenedTakesNoPart() {
    log.send(Sighting.firing("down").in("router"));
    log.ask(Ask.create("r1", "desk"));
    assertThat(log.incidents()).extracting(Incident::getInhibitedBy).containsOnlyNulls();
  }

  @Test
  void otherRules_applyToWhatOpensFromThenOn_andWhatIsHiddenStaysSoUntilItsSourceEnds() {
    log.send(Sighting.firing("down").in("router"), Sighting.firing("disk").in("db"));
    log.append(LogEntries.of(new RulesActivated(rules(2))));
    assertThat(log.newest("db").getInhibitedBy()).isNotNull();
    log.send(Sighting.firing("disk").in("web"));
    assertThat(log.newest("web").getInhibitedBy()).isNull();
    later(log.send(Sighting.ended("down").in("router")));
    assertThat(log.newest("db").getInhibitedBy()).isNull();
    log.append(LogEntries.of(new RulesActivated(rules(3, behind("router")))));
    later(log.send(Sighting.firing("down").in("router")));
    assertThat(log.newest("db").getInhibitedBy()).as("it opened under the first").isNotNull();
    assertThat(log.newest("web").getInhibitedBy()).as("it under none").isNull();
  }

  @Test
  void repeat_changesNothingOfInhibitions() {
    log.send(Sighting.firing("down").in("router"), Sighting.firing("disk").in("db"));
    var kept = log.store.inhibitions.all();
    var incidents = log.incidents();
    log.send(Sighting.firing("down").in("router"), Sighting.firing("disk").in("db"));
    assertThat(log.store.inhibitions.all()).isEqualTo(kept);
    assertThat(log.incidents()).isEqualTo(incidents);
    assertThat(log.eventTypes()).containsExactly(EventType.CREATED, EventType.CREATED);
  }

  @Test
  void targetsAndSources_beyondTheirBoundAreShownAndHideNothing() {
    log.send(Sighting.firing("down").in("router"));
    for (int i = 0; i <= Inhibitions.IDS_MAX; i++) {
      fold(log, Sighting.firing("disk").in("db" + i));
    }
    Invariants.check(log.store);
    assertThat(log.newest("db" + (Inhibitions.IDS_MAX - 1)).getInhibitedBy()).isNotNull();
    assertThat(log.newest("db" + Inhibitions.IDS_MAX).getInhibitedBy()).isNull();
    assertThat(log.counts().getInhibitionsFull()).isEqualTo(1);
    int events = log.events.size();
    later(log.send(Sighting.ended("down").in("router")));
    assertThat(log.events).hasSize(events + 1 + Inhibitions.IDS_MAX);
    assertThat(log.incidents()).extracting(Incident::getInhibitedBy).containsOnlyNulls();
  }

  @Test
  void expression_thatIsNoneAnyMoreMatchesNothing() {
    Log odd = new Log(rules(1, behind("(")));
    odd.send(Sighting.firing("down").in("router"), Sighting.firing("disk").in("db"));
    assertThat(odd.incidents()).extracting(Incident::getInhibitedBy).containsOnlyNulls();
  }

  @Test
  void rules_withInhibitionsNeedVersionThree() {
    assertThat(Fold.versionNeeded(LogEntries.of(new RulesActivated(rules(1, behind("r"))))))
        .isEqualTo(3);
  }

  private static void fold(Log log, Sighting alert) {
    log.fold()
        .apply(
            LogEntries.of(new Alerts(1, List.of(alert.alert(log.nowMs())))),
            log.offset(),
            log.nowMs());
  }

  private IncidentEvent last() {
    return log.events.get(log.events.size() - 1);
  }

  private static Matcher title(String expression) {
    return new Matcher("title", MatchOperator.MATCHES, expression);
  }

  /** Incidents of sources that are such hide those of others; all are of one type and site. */
  static Inhibition behind(String group) {
    return new Inhibition(
        "behind",
        List.of(new Matcher("source", MatchOperator.MATCHES, "s-" + group)),
        List.of(new Matcher("source", MatchOperator.NOT_MATCHES, "s-" + group)),
        List.of("type", "labels.site"));
  }

  static Rules rules(int version, Inhibition... inhibitions) {
    Rules rules = DefaultRules.read();
    rules.setVersion(version);
    rules.setInhibitions(List.of(inhibitions));
    return rules;
  }
}
