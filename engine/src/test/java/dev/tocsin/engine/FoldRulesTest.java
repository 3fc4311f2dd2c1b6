package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** What the fold makes of alerts that were stamped under a rule. */
class FoldRulesTest {
  private static final Duration HOUR = Duration.ofHours(1);

  @Test
  void incident_namesTheRuleThatOpenedIt() {
    Log log = new Log(rules(1, rule("db")));
    log.sendRaw(under("db", Sighting.firing("a"), log));
    log.sendRaw(under("", Sighting.firing("b"), log));
    assertThat(log.only().getRule()).isEqualTo("db");
    assertThat(log.only().getDistinctAlerts()).isEqualTo(2);
    assertThat(log.condition("a").getRule()).isEqualTo("db");
    assertThat(log.condition("b").getRule()).isEmpty();
  }

  @Test
  void incident_namesTheVersionThatItsAlertWasStampedUnder() {
    Log log = new Log(rules(1, rule("db"))).engine(2);
    log.append(LogEntries.of(new RulesActivated(rules(2))));
    log.sendRaw(under("db", Sighting.firing("a"), log)); // the edge did not know of 2 yet
    assertThat(log.only().getRule()).isEqualTo("db");
    assertThat(log.only().getRulesVersion()).isEqualTo(1);
    Alert newer = Sighting.firing("b").in("other").alert(log.nowMs());
    log.append(LogEntries.of(new Alerts(2, List.of(newer))));
    assertThat(log.newest("other").getRulesVersion()).isEqualTo(2);
    log.ask(Ask.create("r", "mail"));
    assertThat(log.newest("create w mail").getRulesVersion()).as("a person's").isEqualTo(2);
  }

  @Test
  void incident_ofVersion1_namesTheActiveVersion() {
    Log log = new Log(rules(1, rule("db")));
    log.append(LogEntries.of(new RulesActivated(rules(2))));
    log.sendRaw(under("db", Sighting.firing("a"), log));
    assertThat(log.only().getRulesVersion()).isEqualTo(2);
  }

  @Test
  void silence_isTheRules() {
    Log log = new Log(rules(1, rule("db")));
    log.sendRaw(under("db", Sighting.firing("a"), log));
    log.sendRaw(under("", Sighting.firing("b").in("other"), log));
    log.after(HOUR.multipliedBy(2)).tick();
    assertThat(log.newest("g").getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.newest("other").getState()).isEqualTo(IncidentState.DETECTED);
  }

  @Test
  void repeatUnderAnotherRule_movesTheConditionToItsWindows() {
    Log log = new Log(rules(1, rule("db")));
    log.sendRaw(under("", Sighting.firing("a"), log));
    log.sendRaw(under("db", Sighting.firing("a"), log));
    assertThat(log.condition("a").getRule()).isEqualTo("db");
    log.after(HOUR.multipliedBy(2)).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
  }

  @Test
  void reopenCloseAndRetention_areTheRules() {
    Log log = new Log(rules(1, rule("db")));
    log.sendRaw(under("db", Sighting.firing("a"), log));
    log.sendRaw(under("db", Sighting.ended("a"), log));
    log.after(Duration.ofMinutes(20)); // beyond what holds for all, within what the rule allows
    log.sendRaw(under("db", Sighting.firing("a"), log));
    assertThat(log.only().getReopened()).isEqualTo(1);
    log.sendRaw(under("db", Sighting.ended("a"), log));
    log.after(HOUR).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.CLOSED);
    log.after(HOUR).tick();
    assertThat(log.incidents()).isEmpty();
  }

  @Test
  void lists_haveTheRulesBounds() {
    Log log = new Log(rules(1, rule("db")));
    for (String condition : List.of("a", "b", "c", "d")) {
      log.sendRaw(under("db", Sighting.firing(condition), log));
    }
    assertThat(log.only().getAlerts()).hasSize(2);
    assertThat(log.only().getTimeline()).hasSize(3);
    assertThat(log.only().getTimelineDropped()).isEqualTo(1);
  }

  @Test
  void occurrences_arePublishedAtTheRulesInterval() {
    Log log = new Log(rules(1, rule("db")));
    log.sendRaw(under("db", Sighting.firing("a"), log));
    log.after(Duration.ofSeconds(59)).sendRaw(under("db", Sighting.firing("a"), log));
    assertThat(log.events).hasSize(1);
    log.after(Duration.ofSeconds(1)).tick();
    assertThat(log.events).hasSize(2);
  }

  @Test
  void ruleThatIsGone_leavesWhatHoldsForAll() {
    Log log = new Log(rules(1, rule("db")));
    log.sendRaw(under("db", Sighting.firing("a"), log));
    log.append(LogEntries.of(new RulesActivated(rules(2))));
    log.after(HOUR.multipliedBy(2)).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.DETECTED);
    log.after(HOUR.multipliedBy(24)).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.only().getRule()).isEqualTo("db");
  }

  @Test
  void activeVersion_isWhatCounts_notTheOneThatStamped() {
    Log log = new Log(rules(1, rule("db")));
    log.sendRaw(under("db", Sighting.firing("a"), log));
    Rule slower = rule("db");
    slower.setAutoResolveAfterMs(HOUR.multipliedBy(10).toMillis());
    log.append(LogEntries.of(new RulesActivated(rules(2, slower))));
    log.after(HOUR.multipliedBy(2)).tick();
    assertThat(log.only().getState()).isEqualTo(IncidentState.DETECTED);
  }

  @Test
  void suppressedAlert_isCounted_andChangesNothing() {
    Log log = new Log(rules(1, rule("db")));
    log.sendRaw(suppressed(Sighting.firing("a"), log));
    log.sendRaw(suppressed(Sighting.ended("a"), log));
    assertThat(log.incidents()).isEmpty();
    assertThat(log.events).isEmpty();
    assertThat(log.condition("a")).isNull();
    assertThat(log.counts().getAlerts()).isEqualTo(2);
    assertThat(log.counts().getSuppressed()).isEqualTo(2);
    assertThat(log.counts().getUnmatched()).isZero();
  }

  @Test
  void suppressedAlert_sentAgain_isARedelivery() {
    Log log = new Log(rules(1, rule("db")));
    log.sendRaw(suppressed(Sighting.firing("a").id("1"), log));
    log.sendRaw(suppressed(Sighting.firing("a").id("1"), log));
    assertThat(log.counts().getSuppressed()).isEqualTo(1);
    assertThat(log.counts().getRedelivered()).isEqualTo(1);
  }

  @Test
  void suppressedEnd_stillEndsWhatWasActiveBefore() {
    Log log = new Log(rules(1, rule("db")));
    log.sendRaw(under("", Sighting.firing("a"), log));
    log.sendRaw(suppressed(Sighting.firing("a"), log));
    assertThat(log.tally().getOccurrences()).isEqualTo(1);
    log.sendRaw(suppressed(Sighting.ended("a"), log));
    assertThat(log.only().getState()).isEqualTo(IncidentState.RESOLVED);
    assertThat(log.counts().getResolved()).isEqualTo(1);
    log.sendRaw(suppressed(Sighting.ended("a"), log));
    assertThat(log.counts().getSuppressed()).isEqualTo(2);
  }

  /** As without rules, whatever the alerts' rules are called, where those rules have no windows. */
  @Property(tries = 200)
  void rulesWithoutWindows_foldAsNoRulesDo(@ForAll("items") List<World.Item> items) {
    MemoryStore plain = fold(items, false, World.brisk(1));
    Rules named = World.brisk(1);
    named.setRules(List.of(Rule.newBuilder().setName("a").build()));
    MemoryStore ruled = fold(items, true, named);
    assertThat(ruled.state()).isEqualTo(plain.state());
    ruled.incidents().forEach(incident -> incident.setRule(""));
    assertThat(List.copyOf(ruled.incidents())).isEqualTo(List.copyOf(plain.incidents()));
  }

  @Provide
  Arbitrary<List<World.Item>> items() {
    return World.items(30, World.LONG_AND_SHORT);
  }

  private static MemoryStore fold(List<World.Item> items, boolean named, Rules rules) {
    MemoryStore store = new MemoryStore();
    Fold fold = new Fold(store, event -> {});
    List<World.Item> all = new ArrayList<>(items);
    all.add(0, World.Item.rules(Log.START_MS, rules));
    for (int offset = 0; offset < all.size(); offset++) {
      World.Item item = all.get(offset);
      if (offset > 0) {
        item.alert().setRule(named ? "a" : "");
      }
      fold.apply(item.entry(), offset, item.timeMs());
    }
    return store;
  }

  private static Alert suppressed(Sighting sighting, Log log) {
    Alert alert = under("quiet", sighting, log);
    alert.setSuppressed(true);
    return alert;
  }

  private static Alert under(String rule, Sighting sighting, Log log) {
    Alert alert = sighting.alert(log.nowMs());
    alert.setRule(rule);
    alert.setLabels(Map.of("rule", rule));
    return alert;
  }

  private static Rules rules(int version, Rule... all) {
    Rules rules = DefaultRules.read();
    rules.setVersion(version);
    rules.setRules(List.of(all));
    return rules;
  }

  private static Rule rule(String name) {
    return Rule.newBuilder()
        .setName(name)
        .setReopenWindowMs(Duration.ofMinutes(30).toMillis())
        .setAutoResolveAfterMs(HOUR.toMillis())
        .setCloseAfterMs(HOUR.toMillis())
        .setRetentionMs(HOUR.toMillis())
        .setOccurrenceIntervalMs(Duration.ofMinutes(1).toMillis())
        .setTimelineMax(3)
        .setAlertsMax(2)
        .setNotesMax(1)
        .build();
  }
}
