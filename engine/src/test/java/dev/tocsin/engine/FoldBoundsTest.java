package dev.tocsin.engine;

import static dev.tocsin.engine.Log.START_MS;
import static dev.tocsin.engine.Sighting.ended;
import static dev.tocsin.engine.Sighting.firing;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.TimelineKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Lists, events, rules and failures: what is bounded, and what happens at the bound. */
class FoldBoundsTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  private final Log log = new Log();

  @Test
  void lists_keepTheNewest_andCountsStayExact() {
    Rules rules = rules(2);
    rules.setTimelineMax(5);
    rules.setAlertsMax(3);
    log.append(LogEntries.of(new RulesActivated(rules)));
    for (int i = 0; i < 10; i++) {
      log.send(firing("c" + i));
    }
    Incident incident = log.only();
    assertThat(incident.getAlerts())
        .extracting(alert -> alert.getTitle())
        .containsExactly("title of c7", "title of c8", "title of c9");
    assertThat(incident.getDistinctAlerts()).isEqualTo(10);
    assertThat(incident.getActiveAlerts()).isEqualTo(10);
    assertThat(incident.getTimeline()).hasSize(5);
    assertThat(incident.getTimelineDropped()).isEqualTo(5);
    assertThat(incident.getTimeline().get(4).getText()).isEqualTo("title of c9");
    log.send(ended("c0"));
    assertThat(log.only().getActiveAlerts()).as("no longer listed, but known").isEqualTo(9);
    assertThat(log.only().getTimelineDropped()).isEqualTo(6);
  }

  @Test
  void lists_shrink_whenTheBoundDoes() {
    IntStream.range(0, 10).forEach(i -> log.send(firing("c" + i)));
    Rules rules = rules(2);
    rules.setTimelineMax(2);
    rules.setAlertsMax(1);
    log.fold().apply(LogEntries.of(new RulesActivated(rules)), log.offset(), log.nowMs());
    log.fold().apply(entry(firing("c10")), log.offset() + 1, log.nowMs());
    assertThat(log.only().getTimeline()).hasSize(2);
    assertThat(log.only().getTimelineDropped()).isEqualTo(9);
    assertThat(log.only().getAlerts()).hasSize(1);
  }

  @Test
  void aHundredThousandAlerts_ofOneGroup_areOneBoundedIncident() {
    MemoryStore store = new MemoryStore();
    Fold fold = new Fold(store, event -> {});
    int alerts = 100_000;
    int perEntry = 100;
    for (int first = 0; first < alerts; first += perEntry) {
      List<Alert> some = new ArrayList<>();
      for (int i = first; i < first + perEntry; i++) {
        some.add(firing("c" + i).alert(START_MS));
      }
      fold.apply(LogEntries.of(new Alerts(1, some)), first / perEntry, START_MS + first);
    }
    assertThat(store.incidents()).hasSize(1);
    Incident incident = store.incidents().iterator().next();
    Rules rules = DefaultRules.read();
    assertThat(incident.getDistinctAlerts()).isEqualTo(alerts);
    assertThat(incident.getActiveAlerts()).isEqualTo(alerts);
    assertThat(store.tally(incident.getId()).getOccurrences()).isEqualTo(alerts);
    assertThat(incident.getAlerts()).hasSize(rules.getAlertsMax());
    assertThat(incident.getAlerts().get(rules.getAlertsMax() - 1).getTitle())
        .isEqualTo("title of c99999");
    assertThat(incident.getTimeline()).hasSize(rules.getTimelineMax());
    assertThat(incident.getTimelineDropped()).isEqualTo(alerts - rules.getTimelineMax());
  }

  @Test
  void repeats_arePublishedOnceASecond_andTheLastValueAlways() {
    log.send(firing("cpu"));
    for (int i = 1; i <= 50; i++) {
      log.after(Duration.ofMillis(100)).send(firing("cpu"));
    }
    log.after(SECOND).tick().after(Duration.ofMinutes(1)).tick();
    List<IncidentEvent> repeats =
        log.events.stream().filter(event -> event.getType() == EventType.OCCURRED).toList();
    assertThat(repeats)
        .extracting(event -> event.getAtMs() - START_MS)
        .containsExactly(1000L, 2000L, 3000L, 4000L, 5000L, 6000L);
    assertThat(repeats)
        .extracting(IncidentEvent::getOccurrences)
        .containsExactly(10L, 20L, 30L, 40L, 50L, 51L);
    assertThat(repeats).allMatch(event -> event.getIncident().getRevision() == 1);
    assertThat(log.tally().getPublishedOccurrences()).isEqualTo(51);
    assertThat(log.timers(Timer.Kind.TALLY)).isZero();
  }

  @Test
  void repeat_afterAQuietSecond_isPublishedAtOnce() {
    log.send(firing("cpu")).after(SECOND).send(firing("cpu"));
    assertThat(log.eventTypes()).containsExactly(EventType.CREATED, EventType.OCCURRED);
    assertThat(log.events.get(1).getLastSeenMs()).isEqualTo(START_MS + 1000);
  }

  @Test
  void repeat_thatAChangeHasPublished_isNotPublishedAgain() {
    log.send(firing("cpu"), firing("cpu")).send(firing("disk")).after(SECOND).tick();
    assertThat(log.eventTypes()).containsExactly(EventType.CREATED, EventType.UPDATED);
    assertThat(log.events.get(1).getOccurrences()).isEqualTo(3);
  }

  @Test
  void sequence_countsEvents_withoutGaps() {
    log.send(firing("a"), firing("b").in("h"), ended("a"), firing("b").in("h"));
    log.after(Duration.ofDays(20)).tick();
    assertThat(log.events)
        .extracting(IncidentEvent::getSequence)
        .containsExactlyElementsOf(
            IntStream.rangeClosed(1, log.events.size()).mapToObj(Long::valueOf).toList());
    assertThat(log.counts().getSequence()).isEqualTo(log.events.size());
  }

  @Test
  void rules_areActive_fromTheirEntryOn() {
    Rules rules = rules(3);
    rules.setReopenWindowMs(0);
    log.send(firing("cpu")).append(LogEntries.of(new RulesActivated(rules)));
    assertThat(log.store.rules().getVersion()).isEqualTo(3);
    log.send(ended("cpu")).after(Duration.ofMillis(1)).send(firing("cpu"));
    assertThat(log.incidents()).extracting(Incident::getRulesVersion).containsExactly(1, 3);
  }

  @Test
  void rules_ofAVersionNotAboveTheActiveOne_areIgnored() {
    log.append(LogEntries.of(new RulesActivated(rules(5))));
    for (int version : new int[] {5, 4, 1, 0, -1}) {
      Rules rules = rules(version);
      rules.setTimelineMax(1);
      log.append(LogEntries.of(new RulesActivated(rules)));
      assertThat(log.store.rules()).isEqualTo(rules(5));
    }
  }

  @Test
  void rules_withALongerWindow_remindOfNothing() {
    // Whether a store has dropped by then what it had forgotten must not show.
    for (FoldStore store : List.of(new MemoryStore(), new BytesStore())) {
      Fold fold = new Fold(store, event -> {});
      fold.apply(entry(firing("cpu").id("a")), 0, START_MS);
      Rules longer = rules(2);
      longer.setReceiptWindowMs(Duration.ofHours(3).toMillis());
      long laterMs = START_MS + Duration.ofHours(2).toMillis();
      fold.apply(LogEntries.of(new RulesActivated(longer)), 1, laterMs);
      fold.apply(entry(firing("cpu").id("a")), 2, laterMs);
      assertThat(store.state().getRedelivered()).isZero();
      fold.apply(entry(firing("cpu").id("a")), 3, laterMs);
      assertThat(store.state().getRedelivered()).isEqualTo(1);
    }
  }

  @Test
  void skip_countsTheEntry_andItsTime() {
    log.send(firing("cpu").endsAt(START_MS + 1000)).after(SECOND).skip();
    assertThat(log.counts().getDeadLettered()).isEqualTo(1);
    assertThat(log.counts().getAppliedOffset()).isEqualTo(3);
    assertThat(log.counts().getFoldTimeMs()).isEqualTo(START_MS + 1000);
    assertThat(log.only().getResolvedAtMs()).isEqualTo(START_MS + 1000);
  }

  @Test
  void entryThatFails_hasDoneNothing() {
    log.send(firing("cpu").endsAt(START_MS + 10)).after(SECOND);
    Alert broken = firing("disk").alert(START_MS);
    broken.setFingerprint(null);
    var entry =
        LogEntries.of(new Alerts(1, List.of(firing("net").id("a").alert(START_MS), broken)));
    long offset = log.offset();
    assertThatThrownBy(() -> log.append(entry))
        .isInstanceOfSatisfying(
            Fold.EngineFailure.class, failure -> assertThat(failure.timer()).isEmpty())
        .hasMessageContaining("offset " + offset);
    assertThat(log.only().getDistinctAlerts()).isEqualTo(1);
    assertThat(log.counts().getAppliedOffset()).isEqualTo(offset);
    assertThat(log.counts().getAlerts()).isEqualTo(1);
    assertThat(log.only().getResolvedAtMs()).as("time before it counts").isEqualTo(START_MS + 10);
    log.skip().send(firing("net").id("a"));
    assertThat(log.counts().getRedelivered()).as("its receipts are not taken").isZero();
  }

  @Test
  void entryWithoutAlerts_isItsTimeOnly() {
    log.after(SECOND).send();
    assertThat(log.counts().getFoldTimeMs()).isEqualTo(START_MS + 1000);
    assertThat(log.counts().getAlerts()).isZero();
  }

  @Test
  void due_isTheFirstTimers() {
    assertThat(log.fold().dueMs()).isEmpty();
    log.send(firing("cpu").endsAt(START_MS + 77).as(Severity.P1));
    assertThat(log.fold().dueMs()).hasValue(START_MS + 77);
    log.after(SECOND).tick();
    assertThat(Log.timeline(log.only())).endsWith(TimelineKind.RESOLVED);
    assertThat(log.fold().dueMs().orElseThrow()).isGreaterThan(START_MS + 1000);
  }

  private static LogEntry entry(Sighting... alerts) {
    return LogEntries.of(
        new Alerts(1, java.util.Arrays.stream(alerts).map(each -> each.alert(START_MS)).toList()));
  }

  private static Rules rules(int version) {
    Rules rules = DefaultRules.read();
    rules.setVersion(version);
    return rules;
  }
}
