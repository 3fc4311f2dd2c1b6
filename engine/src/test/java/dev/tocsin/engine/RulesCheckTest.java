package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.schemas.FlappingRule;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.MatchOperator;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RulesCheckTest {
  @Test
  void defaultRules_areTaken() {
    assertThatCode(() -> RulesCheck.require(DefaultRules.read())).doesNotThrowAnyException();
  }

  @Test
  void rules_areRefused_namingEveryFault() {
    Rules rules = DefaultRules.read();
    rules.setGroupBy(List.of("source", "labels.", "description"));
    rules.setRouteBy(List.of("type", "nonsense"));
    assertThatThrownBy(() -> new Stamper(rules))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("groupBy[1] 'labels.' is none of")
        .hasMessageContaining("groupBy[2] 'description' is none of")
        .hasMessageContaining("routeBy[1] 'nonsense' is none of")
        .hasMessageContaining("routeBy[0] 'type' is not a part of what is grouped by");
    rules.setGroupBy(List.of());
    rules.setRouteBy(List.of());
    assertThatThrownBy(() -> new Stamper(rules))
        .hasMessageContaining("groupBy must name at least one field")
        .hasMessageContaining("routeBy must name at least one field");
  }

  @Test
  void flapping_isRefusedOutOfItsBounds() {
    Rules rules = DefaultRules.read();
    rules.setFlapping(new FlappingRule(2, 999L));
    rules.setRules(
        List.of(
            Rule.newBuilder()
                .setName("a")
                .setFlapping(new FlappingRule(101, Duration.ofDays(1).toMillis() + 1))
                .build()));
    assertThat(RulesCheck.faults(rules))
        .extracting(RulesCheck.Fault::toString)
        .containsExactly(
            "flapping.changes must be from 3 to 100, not 2",
            "flapping.windowMs must be from 1s to 24h, not 999ms",
            "rules[0].flapping.changes must be from 3 to 100, not 101",
            "rules[0].flapping.windowMs must be from 1s to 24h, not 86400001ms");
    rules.setFlapping(new FlappingRule(3, 1000L));
    rules.getRules().get(0).setFlapping(new FlappingRule(100, Duration.ofDays(1).toMillis()));
    assertThat(RulesCheck.faults(rules)).isEmpty();
  }

  static Stream<String> numbers() {
    return Rules.getClassSchema().getFields().stream()
        .filter(
            field ->
                field.schema().getType() == Schema.Type.LONG
                    || field.schema().getType() == Schema.Type.INT)
        .map(Schema.Field::name)
        .filter(name -> !name.equals("version"));
  }

  @ParameterizedTest
  @MethodSource("numbers")
  void everyNumber_hasBounds(String name) {
    Schema.Field field = Rules.getClassSchema().getField(name);
    boolean isLong = field.schema().getType() == Schema.Type.LONG;
    for (long value : new long[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, Long.MAX_VALUE}) {
      if (isLong ? value != Integer.MAX_VALUE : value != Long.MAX_VALUE) {
        Rules rules = DefaultRules.read();
        if (isLong) {
          rules.put(field.pos(), value);
        } else {
          rules.put(field.pos(), (int) value);
        }
        assertThatThrownBy(() -> RulesCheck.require(rules))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining(name + " must be from");
      }
    }
  }

  @Test
  void unspecifiedSeverity_isNoDefault() {
    Rules rules = DefaultRules.read();
    rules.setDefaultSeverity(Severity.UNSPECIFIED);
    assertThatThrownBy(() -> new Stamper(rules)).hasMessageContaining("defaultSeverity");
  }

  @Test
  void brokenRules_areNotActivated() {
    Log log = new Log();
    Rules rules = DefaultRules.read();
    rules.setVersion(2);
    rules.setAutoResolveAfterMs(0);
    rules.setTimelineMax(0);
    var entry = LogEntries.of(new RulesActivated(rules));
    assertThatThrownBy(() -> log.append(entry))
        .isInstanceOf(Fold.EngineFailure.class)
        .hasMessageContaining("autoResolveAfterMs")
        .hasMessageContaining("timelineMax");
    log.skip().send(Sighting.firing("cpu"));
    assertThat(log.store.rules().getVersion()).isEqualTo(1);
    assertThat(log.only().getRulesVersion()).isEqualTo(1);
  }

  static Stream<Arguments> brokenRules() {
    return Stream.of(
        broken("rules[0].name", "must be 1 to 64", rule -> rule.setName("")),
        broken("rules[0].name", "must be 1 to 64", rule -> rule.setName("a b")),
        broken("rules[0].name", "must be 1 to 64", rule -> rule.setName("a".repeat(65))),
        broken("rules[0].matchers", "at most 20", rule -> rule.setMatchers(matchers(21, "title"))),
        broken(
            "rules[0].matchers[0].field",
            "'alert_id' is none of workspace",
            rule -> rule.setMatchers(matchers(1, "alert_id"))),
        broken(
            "rules[0].matchers[0].value",
            "'disk' is no type: there are UNKNOWN, INFRASTRUCTURE",
            rule -> rule.setMatchers(matchers(1, "type"))),
        broken(
            "rules[0].matchers[0].value",
            "'disk' is no severity: there are UNSPECIFIED, P0",
            rule -> rule.setMatchers(matchers(1, "severity"))),
        broken(
            "rules[0].matchers[0].operator",
            "is not known",
            rule -> rule.setMatchers(List.of(new Matcher("title", MatchOperator.OTHER, "disk")))),
        broken("rules[0].matchers[0].value", "is no RE2 expression: missing", matching("a(")),
        broken("rules[0].matchers[0].value", "is no RE2 expression", matching("(?=a)b")),
        broken("rules[0].matchers[0].value", "of 1025 bytes", matching("a".repeat(1025))),
        broken("rules[0].matchers[0].value", "too large", matching("(a{100}b{100}){9}".repeat(9))),
        broken(
            "rules[0].routeBy[0]",
            "'title' is not a part",
            rule -> rule.setRouteBy(List.of("title"))),
        broken(
            "rules[0].groupBy[1]",
            "named twice",
            rule -> rule.setGroupBy(List.of("title", "title"))),
        broken(
            "rules[0].groupBy",
            "at most 50",
            rule -> rule.setGroupBy(IntStream.range(0, 51).mapToObj(i -> "labels.l" + i).toList())),
        broken(
            "rules[0].fingerprintBy[0]",
            "'severity' is none of source",
            rule -> rule.setFingerprintBy(List.of("severity"))),
        broken(
            "rules[0].severityFrom", "needs both", rule -> rule.setSeverityFrom("labels.severity")),
        broken(
            "rules[0].severityFrom",
            "needs both",
            rule -> rule.setSeverities(Map.of("critical", Severity.P0))),
        broken(
            "rules[0].severityFrom", "'label' is none of", rule -> rule.setSeverityFrom("label")),
        broken(
            "rules[0].severities",
            "one of P0 to P4",
            rule -> {
              rule.setSeverityFrom("title");
              rule.setSeverities(Map.of("a", Severity.UNSPECIFIED));
            }),
        broken(
            "rules[0].defaultSeverity",
            "one of P0",
            rule -> rule.setDefaultSeverity(Severity.UNSPECIFIED)),
        broken(
            "rules[0].autoResolveAfterMs",
            "from 1s to 3653d, not 999ms",
            rule -> rule.setAutoResolveAfterMs(999L)),
        broken("rules[0].alertsMax", "from 1 to 1000, not 0", rule -> rule.setAlertsMax(0)));
  }

  @ParameterizedTest
  @MethodSource("brokenRules")
  void brokenRule_isRefused(String path, String what, Consumer<Rule> breaking) {
    Rules rules = DefaultRules.read();
    Rule rule = rule("one");
    breaking.accept(rule);
    rules.setRules(List.of(rule));
    assertThat(RulesCheck.faults(rules))
        .anySatisfy(
            fault -> {
              assertThat(fault.path()).isEqualTo(path);
              assertThat(fault.what()).contains(what);
            });
  }

  @Test
  void everyNumberOfARule_hasBounds() {
    for (Schema.Field field : Rule.getClassSchema().getFields()) {
      Schema last = field.schema();
      if (last.getType() == Schema.Type.UNION) {
        last = last.getTypes().get(1);
      }
      boolean isLong = last.getType() == Schema.Type.LONG;
      if (isLong || last.getType() == Schema.Type.INT) {
        Rules rules = DefaultRules.read();
        Rule rule = rule("one");
        rule.put(field.pos(), isLong ? (Object) Long.MAX_VALUE : (Object) Integer.MAX_VALUE);
        rules.setRules(List.of(rule));
        assertThat(RulesCheck.faults(rules))
            .extracting(RulesCheck.Fault::path)
            .contains("rules[0]." + field.name());
      }
    }
  }

  @Test
  void names_areUnique_andNothingStandsBehindWhatMatchesAll() {
    Rules rules = DefaultRules.read();
    Rule matching = rule("one");
    matching.setMatchers(matchers(1, "title"));
    rules.setRules(List.of(matching, matching, rule("all"), rule("never")));
    assertThat(RulesCheck.faults(rules))
        .extracting(RulesCheck.Fault::path)
        .containsExactly("rules[1].name", "rules[3]");
  }

  @Test
  void rules_areBoundedInNumber_andInWhatTheirExpressionsCost() {
    Rules rules = DefaultRules.read();
    rules.setRules(Collections.nCopies(101, rule("one")));
    assertThat(RulesCheck.faults(rules))
        .extracting(RulesCheck.Fault::what)
        .containsExactly("must be at most 100, not 101");
    Rule costly = rule("one");
    costly.setMatchers(
        Collections.nCopies(20, new Matcher("title", MatchOperator.MATCHES, "(ab?c{2}){50}")));
    rules.setRules(List.of(named("one", costly)));
    assertThat(RulesCheck.faults(rules)).isEmpty();
    rules.setRules(List.of(named("one", costly), named("two", costly)));
    assertThat(RulesCheck.faults(rules))
        .extracting(RulesCheck.Fault::toString)
        .singleElement(InstanceOfAssertFactories.STRING)
        .startsWith("rules have expressions that are too costly, taken together: an alert may cost")
        .contains("10000000 steps");
  }

  @Test
  void expressionOnDescriptions_costsWhatTheLongestCosts() {
    Rules rules = DefaultRules.read();
    Rule rule = rule("one");
    rule.setMatchers(
        Collections.nCopies(2, new Matcher("description", MatchOperator.MATCHES, "(ab){400}")));
    rules.setRules(List.of(rule));
    assertThat(RulesCheck.faults(rules)).extracting(RulesCheck.Fault::path).contains("rules");
    rule.setMatchers(
        Collections.nCopies(2, new Matcher("labels.a", MatchOperator.MATCHES, "(ab){400}")));
    assertThat(RulesCheck.faults(rules)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"((a{1000}){1000}){1000}", "((a{0,1000}){0,1000}){0,1000}", "([{)]{999}){999}"})
  void nestedRepetitions_areRefused_beforeTheyAreWrittenOut(String expression) {
    Rules rules = DefaultRules.read();
    Rule rule = rule("one");
    matching(expression).accept(rule);
    rules.setRules(List.of(rule));
    assertThat(RulesCheck.faults(rules))
        .singleElement()
        .hasToString(
            "rules[0].matchers[0].value is too large once its repetitions are written out:"
                + " at most 5000 steps");
  }

  /** They may have been none of another version of the library, or of a check with other bounds. */
  @Test
  void expressions_areNoConcernOfTheFold() {
    Rules rules = DefaultRules.read();
    rules.setVersion(2);
    Rule rule = rule("one");
    rule.setMatchers(matchers(21, "no field"));
    matching("(?=a)").accept(rule);
    rule.setAutoResolveAfterMs(Duration.ofMinutes(1).toMillis());
    rules.setRules(List.of(rule));
    assertThat(RulesCheck.faults(rules)).isNotEmpty();
    Log log = new Log().append(LogEntries.of(new RulesActivated(rules)));
    assertThat(log.store.rules()).isEqualTo(rules);
  }

  @Test
  void numbersOfARule_areTheFoldsConcern() {
    Rules rules = DefaultRules.read();
    rules.setVersion(2);
    Rule rule = rule("one");
    rule.setAutoResolveAfterMs(1L);
    rules.setRules(List.of(rule));
    Log log = new Log();
    assertThatThrownBy(() -> log.append(LogEntries.of(new RulesActivated(rules))))
        .isInstanceOf(Fold.EngineFailure.class)
        .hasMessageContaining("rules[0].autoResolveAfterMs must be from 1s to 3653d, not 1ms");
  }

  @Test
  void times_areToldAsADocumentHasThem() {
    assertThat(
            Stream.of(0L, 1L, 1000L, 90_000L, 300_000L, 86_400_000L, 604_800_000L, -1L)
                .map(RulesNumbers::text))
        .containsExactly("0s", "1ms", "1s", "90s", "5m", "24h", "7d", "-1ms");
  }

  private static Arguments broken(String path, String what, Consumer<Rule> breaking) {
    return Arguments.of(path, what, breaking);
  }

  private static Consumer<Rule> matching(String expression) {
    return rule ->
        rule.setMatchers(List.of(new Matcher("title", MatchOperator.NOT_MATCHES, expression)));
  }

  private static List<Matcher> matchers(int count, String field) {
    return Collections.nCopies(count, new Matcher(field, MatchOperator.EQUAL, "disk"));
  }

  private static Rule named(String name, Rule like) {
    Rule rule = Rule.newBuilder(like).build();
    rule.setName(name);
    return rule;
  }

  private static Rule rule(String name) {
    return Rule.newBuilder().setName(name).build();
  }
}
