package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.MatchOperator;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What rules make of alerts' stamps. */
class StamperRulesTest {
  static {
    dev.tocsin.schemas.GeneratedClasses.trust();
  }

  @ParameterizedTest
  @CsvSource({
    "title, EQUAL, disk full, true",
    "title, EQUAL, disk, false",
    "title, NOT_EQUAL, disk, true",
    "title, NOT_EQUAL, disk full, false",
    "title, MATCHES, disk .*, true",
    "title, MATCHES, disk, false",
    "title, NOT_MATCHES, disk, true",
    "title, NOT_MATCHES, (?i)DISK.*, false",
    "title, MATCHES, cpu|disk full|ram, true",
    "title, MATCHES, cpu|disk|ram, false",
    "title, MATCHES, [a-z ]+, true",
    "source, EQUAL, probe, true",
    "workspace, EQUAL, team, true",
    "type, EQUAL, SECURITY, true",
    "type, MATCHES, SEC.*|DATA, true",
    "severity, EQUAL, P2, true",
    "severity, MATCHES, P0|P1, false",
    "description, MATCHES, .*/var.*, true",
    "labels.service, EQUAL, db, true",
    "labels.service, NOT_MATCHES, db|web, false",
    "labels.absent, EQUAL, '', true",
    "labels.absent, NOT_EQUAL, '', false",
    "labels.absent, MATCHES, .*, true",
    "labels.absent, MATCHES, .+, false",
    "labels.absent, MATCHES, '|x', true",
    "labels.absent, NOT_EQUAL, db, true"
  })
  void matcher_isOfTheWholeField(
      String field, MatchOperator operator, String value, boolean matches) {
    Alert alert = stamped(rules(rule("one", new Matcher(field, operator, value))));
    assertThat(alert.getRule()).isEqualTo(matches ? "one" : "");
  }

  @Test
  void firstRuleThatMatches_isTaken_andAllItsMatchersMust() {
    Matcher yes = new Matcher("source", MatchOperator.EQUAL, "probe");
    Matcher no = new Matcher("title", MatchOperator.EQUAL, "another");
    assertThat(stamped(rules(rule("one", yes, no), rule("two", yes), rule("three"))).getRule())
        .isEqualTo("two");
    assertThat(stamped(rules(rule("one", no), rule("two", no, yes))).getRule()).isEmpty();
    assertThat(stamped(rules(rule("one"))).getRule()).isEqualTo("one");
  }

  @Test
  void ruleThatSaysNothing_stampsTheKeysThatNoRuleStamps() {
    assertSameKeys(stamped(rules(rule("one"))), stamped(DefaultRules.read()));
  }

  @Test
  void groupBy_isAlsoWhatItIsRoutedBy_unlessTheRuleSaysOtherwise() {
    Rules others = DefaultRules.read();
    others.setGroupBy(List.of("title", "source"));
    others.setRouteBy(List.of("title", "source"));
    Rule rule = rule("one");
    rule.setGroupBy(List.of("title", "source"));
    Alert alert = stamped(rules(rule));
    assertThat(alert.getGroup()).isEqualTo(stamped(others).getGroup());
    assertThat(alert.getRoute()).isEqualTo(stamped(others).getRoute());
    rule.setRouteBy(List.of("source"));
    others.setRouteBy(List.of("source"));
    assertThat(stamped(rules(rule)).getRoute()).isEqualTo(stamped(others).getRoute());
    rule.setGroupBy(List.of());
    assertThat(stamped(rules(rule)).getGroup()).isEqualTo(stamped(DefaultRules.read()).getGroup());
    assertThat(stamped(rules(rule)).getRoute()).isEqualTo(stamped(others).getRoute());
  }

  @Test
  void fingerprintBy_isAllThatTellsConditionsApart() {
    Rule rule = rule("one");
    rule.setFingerprintBy(List.of("labels.service", "type"));
    Stamper stamper = new Stamper(rules(rule));
    Alert one = alert();
    Alert other = alert();
    other.setTitle("another");
    other.setSource("elsewhere");
    other.setLabels(Map.of("service", "db", "host", "b"));
    stamper.stamp(one, "", true);
    stamper.stamp(other, "", true);
    assertThat(other.getFingerprint()).isEqualTo(one.getFingerprint());
    other.setLabels(Map.of("service", "web"));
    stamper.stamp(other, "", true);
    assertThat(other.getFingerprint()).isNotEqualTo(one.getFingerprint());
    other.setLabels(Map.of("service", "db"));
    other.setWorkspace("another");
    stamper.stamp(other, "", true);
    assertThat(other.getFingerprint()).isNotEqualTo(one.getFingerprint());
    stamper.stamp(one, "key", true);
    Alert byDedupKey = alert();
    new Stamper(DefaultRules.read()).stamp(byDedupKey, "key", true);
    assertThat(one.getFingerprint()).isEqualTo(byDedupKey.getFingerprint());
  }

  @Test
  void volatileLabels_areTheRulesOwn_alsoWhereTheyAreNone() {
    Rules rules = DefaultRules.read();
    rules.setVolatileLabels(List.of("host"));
    Rule own = rule("one", new Matcher("source", MatchOperator.EQUAL, "probe"));
    own.setVolatileLabels(List.of());
    rules.setRules(List.of(own));
    Alert one = stamped(rules);
    own.setVolatileLabels(null);
    assertThat(stamped(rules).getFingerprint()).isNotEqualTo(one.getFingerprint());
    assertThat(stamped(DefaultRules.read()).getFingerprint()).isEqualTo(one.getFingerprint());
  }

  @Test
  void severity_isMappedFromAField_orStays_orIsTheRulesDefault() {
    Rule rule = rule("one");
    rule.setSeverityFrom("labels.host");
    rule.setSeverities(Map.of("a", Severity.P0, "", Severity.P4));
    rule.setDefaultSeverity(Severity.P1);
    Stamper stamper = new Stamper(rules(rule));
    assertThat(severity(stamper, Severity.P2, Map.of("host", "a"))).isEqualTo(Severity.P0);
    assertThat(severity(stamper, Severity.P2, Map.of("host", "b"))).isEqualTo(Severity.P2);
    assertThat(severity(stamper, Severity.P2, Map.of())).isEqualTo(Severity.P4);
    assertThat(severity(stamper, Severity.UNSPECIFIED, Map.of("host", "b"))).isEqualTo(Severity.P1);
  }

  @Test
  void matchers_seeTheSeverityThatWasSent() {
    Rule rule = rule("one", new Matcher("severity", MatchOperator.EQUAL, "UNSPECIFIED"));
    Alert alert = alert();
    alert.setSeverity(Severity.UNSPECIFIED);
    new Stamper(rules(rule)).stamp(alert, "", true);
    assertThat(alert.getRule()).isEqualTo("one");
    assertThat(alert.getSeverity()).isEqualTo(Severity.P3);
  }

  @Test
  void suppress_isStamped() {
    Rule rule = rule("one");
    rule.setSuppress(true);
    assertThat(stamped(rules(rule)).getSuppressed()).isTrue();
    assertThat(stamped(DefaultRules.read()).getSuppressed()).isFalse();
  }

  /** Whatever rules pass the check, and whatever alert comes. */
  @Property(tries = 1000)
  void stamper_neverThrows(@ForAll("anyRules") List<Rule> any, @ForAll("anyAlert") Alert alert) {
    Rules rules = DefaultRules.read();
    rules.setRules(any);
    Assume.that(RulesCheck.faults(rules).isEmpty());
    new Stamper(rules).stamp(alert, "", true);
    assertThat(alert.getGroup()).isNotNull();
    assertThat(alert.getSeverity()).isNotEqualTo(Severity.UNSPECIFIED);
  }

  /** A rule that does not match leaves no trace. */
  @Property(tries = 300)
  void withoutARuleThatMatches_stampsAreAsWithoutRules(@ForAll("anyAlert") Alert alert) {
    Alert same = Alert.newBuilder(alert).build();
    Rule never = rule("never", new Matcher("workspace", MatchOperator.EQUAL, "nobody's"));
    never.setGroupBy(List.of("title"));
    never.setDefaultSeverity(Severity.P0);
    new Stamper(rules(never)).stamp(alert, "", true);
    new Stamper(DefaultRules.read()).stamp(same, "", true);
    assertThat(alert).isEqualTo(same);
  }

  @Provide
  Arbitrary<List<Rule>> anyRules() {
    Arbitrary<String> field =
        Arbitraries.of(
            "workspace", "source", "type", "title", "description", "severity", "labels.a");
    Arbitrary<String> value =
        Arbitraries.oneOf(
            Arbitraries.of("P1", "DATA", "a|b", "a||", "|", ".*", "[^a]+", "(?i)x", "\\pL*", "("),
            Arbitraries.strings().ofMaxLength(6));
    Arbitrary<Matcher> matcher =
        Combinators.combine(field, Arbitraries.of(MatchOperator.values()), value).as(Matcher::new);
    Arbitrary<List<String>> keys =
        Arbitraries.of("source", "type", "title", "labels.a", "labels.b")
            .list()
            .uniqueElements()
            .ofMaxSize(3);
    Arbitrary<Rule> rule =
        Combinators.combine(
                Arbitraries.of("a", "b", "c", "d"),
                matcher.list().ofMinSize(1).ofMaxSize(2),
                keys,
                keys,
                Arbitraries.of("", "labels.a", "severity"),
                Arbitraries.of(true, false))
            .as(
                (name, matchers, groupBy, fingerprintBy, from, suppress) -> {
                  Rule made = rule(name);
                  made.setMatchers(matchers);
                  made.setGroupBy(groupBy);
                  made.setFingerprintBy(fingerprintBy);
                  made.setSeverityFrom(from);
                  made.setSeverities(from.isEmpty() ? Map.of() : Map.of("x", Severity.P1));
                  made.setSuppress(suppress);
                  return made;
                });
    return rule.list().ofMaxSize(3);
  }

  @Provide
  Arbitrary<Alert> anyAlert() {
    Arbitrary<String> text = Arbitraries.strings().ofMaxLength(20);
    return Combinators.combine(
            text,
            text,
            text,
            Arbitraries.maps(Arbitraries.of("a", "b", "service"), text),
            Arbitraries.of(Severity.values()),
            Arbitraries.of(IncidentType.values()))
        .as(
            (source, title, description, labels, severity, type) -> {
              Alert alert = alert();
              alert.setSource(source);
              alert.setTitle(title);
              alert.setDescription(description);
              alert.setLabels(labels);
              alert.setSeverity(severity);
              alert.setType(type);
              return alert;
            });
  }

  private static Severity severity(Stamper stamper, Severity sent, Map<String, String> labels) {
    Alert alert = alert();
    alert.setSeverity(sent);
    alert.setLabels(labels);
    stamper.stamp(alert, "", true);
    return alert.getSeverity();
  }

  private static void assertSameKeys(Alert one, Alert other) {
    assertThat(Stream.of(one.getFingerprint(), one.getGroup(), one.getRoute(), one.getReceipt()))
        .containsExactly(
            other.getFingerprint(), other.getGroup(), other.getRoute(), other.getReceipt());
  }

  private static Alert stamped(Rules rules) {
    Alert alert = alert();
    new Stamper(rules).stamp(alert, "", true);
    return alert;
  }

  private static Alert alert() {
    Alert alert = Sighting.firing("a").id("1").as(Severity.P2).alert(0);
    alert.setWorkspace("team");
    alert.setSource("probe");
    alert.setTitle("disk full");
    alert.setDescription("no room left on /var");
    alert.setType(IncidentType.SECURITY);
    alert.setLabels(Map.of("service", "db", "host", "a"));
    return alert;
  }

  private static Rules rules(Rule... all) {
    Rules rules = DefaultRules.read();
    rules.setRules(List.of(all));
    return rules;
  }

  private static Rule rule(String name, Matcher... matchers) {
    return Rule.newBuilder().setName(name).setMatchers(List.of(matchers)).build();
  }
}
