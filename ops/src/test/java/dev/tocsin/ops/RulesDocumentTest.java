package dev.tocsin.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Stamper;
import dev.tocsin.schemas.FlappingRule;
import dev.tocsin.schemas.Inhibition;
import dev.tocsin.schemas.MatchOperator;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RulesDocumentTest {
  private static final Path EXAMPLE = Path.of("../docs/rules.example.yaml");

  @Test
  void example_isTheDefaultRules() throws IOException {
    String text = Files.readString(EXAMPLE);
    Rules rules = RulesDocument.parse(text).rules(1);
    assertThat(rules.getText()).isEqualTo(text);
    rules.setText("");
    assertThat(rules).isEqualTo(DefaultRules.read());
  }

  @Test
  void rulesInTheExamplesComments_areTaken() throws IOException {
    String text = Files.readString(EXAMPLE);
    String rules =
        text.substring(text.indexOf("#   - name"), text.indexOf("rules: []"))
            .lines()
            .map(line -> line.substring(1))
            .collect(Collectors.joining("\n"));
    assertThat(RulesDocument.parse("rules:\n" + rules).rules(2).getRules())
        .extracting(Rule::getName)
        .containsExactly("staging-is-quiet", "databases");
  }

  @Test
  void emptyMapping_isTheDefaultRules() {
    Rules rules = RulesDocument.parse("{}").rules(1);
    rules.setText("");
    assertThat(rules).isEqualTo(DefaultRules.read());
  }

  @Test
  void everyKey_isRead() {
    String text =
        """
        defaults:
          group_by: [title, source]
          route_by: [source]
          volatile_labels: [pod]
          default_severity: P1
          receipt_window: 90m
          receipts_max: 7
          reopen_window: 250ms
          auto_resolve_after: 30s
          close_after: 0s
          retention: 2d
          occurrence_interval: 3s
          timeline_max: 1
          alerts_max: 2
          notes_max: 3
          outcome_window: 1m
          outcomes_max: 4
          flapping: {changes: 5, window: 10m}
        rules:
          - name: one
            match:
              - labels.a = b c
              - 'labels.a!="b"'
              - description =~ "a|b"
              - title !~ a=b
            group_by: [source, type]
            route_by: [source]
            fingerprint_by: [labels.x, title]
            volatile_labels: []
            default_severity: P2
            severity: {from: labels.severity, map: {critical: P0, 5: P4}}
            reopen_window: 1s
            auto_resolve_after: 2s
            close_after: 3s
            retention: 4s
            occurrence_interval: 5s
            timeline_max: 6
            alerts_max: 7
            notes_max: 8
            suppress: true
            flapping: {window: 1s, changes: 3}
        inhibitions:
          - name: down
            source: [title = down]
            target: ['title =~ slow.*', severity != P0]
            equal: [source, type]
        """;
    Rules expected =
        Rules.newBuilder()
            .setVersion(9)
            .setGroupBy(List.of("title", "source"))
            .setRouteBy(List.of("source"))
            .setVolatileLabels(List.of("pod"))
            .setDefaultSeverity(Severity.P1)
            .setReceiptWindowMs(Duration.ofMinutes(90).toMillis())
            .setReceiptsMax(7)
            .setReopenWindowMs(250)
            .setAutoResolveAfterMs(30_000)
            .setCloseAfterMs(0)
            .setRetentionMs(Duration.ofDays(2).toMillis())
            .setOccurrenceIntervalMs(3000)
            .setTimelineMax(1)
            .setAlertsMax(2)
            .setNotesMax(3)
            .setOutcomeWindowMs(60_000)
            .setOutcomesMax(4)
            .setText(text)
            .setFlapping(new FlappingRule(5, 600_000L))
            .setInhibitions(
                List.of(
                    new Inhibition(
                        "down",
                        List.of(new Matcher("title", MatchOperator.EQUAL, "down")),
                        List.of(
                            new Matcher("title", MatchOperator.MATCHES, "slow.*"),
                            new Matcher("severity", MatchOperator.NOT_EQUAL, "P0")),
                        List.of("source", "type"))))
            .setRules(
                List.of(
                    Rule.newBuilder()
                        .setName("one")
                        .setMatchers(
                            List.of(
                                new Matcher("labels.a", MatchOperator.EQUAL, "b c"),
                                new Matcher("labels.a", MatchOperator.NOT_EQUAL, "b"),
                                new Matcher("description", MatchOperator.MATCHES, "a|b"),
                                new Matcher("title", MatchOperator.NOT_MATCHES, "a=b")))
                        .setGroupBy(List.of("source", "type"))
                        .setRouteBy(List.of("source"))
                        .setFingerprintBy(List.of("labels.x", "title"))
                        .setVolatileLabels(List.of())
                        .setDefaultSeverity(Severity.P2)
                        .setSeverityFrom("labels.severity")
                        .setSeverities(Map.of("critical", Severity.P0, "5", Severity.P4))
                        .setReopenWindowMs(1000L)
                        .setAutoResolveAfterMs(2000L)
                        .setCloseAfterMs(3000L)
                        .setRetentionMs(4000L)
                        .setOccurrenceIntervalMs(5000L)
                        .setTimelineMax(6)
                        .setAlertsMax(7)
                        .setNotesMax(8)
                        .setSuppress(true)
                        .setFlapping(new FlappingRule(3, 1000L))
                        .build()))
            .build();
    assertThat(RulesDocument.parse(text).rules(9)).isEqualTo(expected);
  }

  @Test
  void groupByForAll_isAlsoWhatIsRoutedBy() {
    Rules rules = RulesDocument.parse("defaults: {group_by: [title]}").rules(2);
    assertThat(rules.getRouteBy()).containsExactly("title");
  }

  static Stream<Arguments> faults() {
    return Stream.of(
        Arguments.of("", "1:1: the document is empty"),
        Arguments.of("# nothing", "1:1: the document is empty"),
        Arguments.of("text", "1:1: the document: must be a mapping (key: value), not 'text'"),
        Arguments.of("[]", "1:1: the document: must be a mapping (key: value), not a list"),
        Arguments.of("rule: []", "1:1: rule: no such key; is it rules?"),
        Arguments.of("xxxxxxx: []", "1:1: xxxxxxx: no such key; there are defaults, rules"),
        Arguments.of("rules: {}", "1:8: rules: must be a list, not a mapping"),
        Arguments.of("rules: []\nrules: []", "2:1: rules: stands here twice"),
        Arguments.of("? [a]\n: b", "1:3: the document: a key must be a word"),
        Arguments.of("defaults:\n\ta: b", "2:1: no YAML: while scanning for the next token"),
        Arguments.of("defaults: {", "1:12: no YAML: "),
        Arguments.of("a: \u0000", "1:1: no YAML: "),
        Arguments.of("{}\n---\n{}", "2:1: a second document; one file is one document"),
        Arguments.of("defaults: &a {}", "1:11: anchors and aliases"),
        Arguments.of("rules: *a", "1:8: anchors and aliases"),
        Arguments.of("a: [[[[[[[[[]]]]]]]]]", "1:11: nested deeper than 8 levels"),
        Arguments.of("[" + "1,".repeat(20_001) + "]", "1:40000: more than 20000 values"),
        Arguments.of(
            "# " + "x".repeat(256 << 10),
            "1:1: the document has 262146 bytes; at most 262144 are taken"),
        of("defaults: {receipt_windows: 1h}", "1:12: receipt_windows: no such key; is it rec"),
        of("defaults: {close_after: 5}", "1:25: close_after: must be a duration: a number and"),
        of("defaults: {close_after: 1w}", "1:25: close_after: must be a duration: a number and"),
        of("defaults: {close_after: [1]}", "1:25: close_after: must be a duration: a number and"),
        of("defaults: {retention: 213503982335d}", "1:23: retention: is too long: 2135039"),
        of("defaults: {retention: 999999999999d}", "1:23: retention: is too long: 9999999"),
        of("defaults: {alerts_max: !!int many}", "1:24: alerts_max: must be a whole number, n"),
        of("inhibitions: [{name: a, source: [], target: [], equal: []}]", "1:56: equal: must name"),
        of(
            "inhibitions: [{name: a, source: [title = x], target: [title = y]}]",
            "1:15: inhibition"),
        of("inhibitions: [{nam: a}]", "1:16: nam: no such key; is it name?"),
        of(
            "inhibitions: [{name: a, source: [], target: [title = y], equal: [source, type, labels.service]}]",
            "1:33: source: must have at least one matcher"),
        of(
            "inhibitions: [{name: a, source: [title], target: [title = y], equal: [source]}]",
            "1:34: source: must be FIELD OPERATOR VALUE"),
        of(
            "inhibitions: [{name: a, source: ['title =~ (', title = x], target: [title = y], equal: [source, type, labels.service]}]",
            "1:34: source: is no RE2 expression"),
        of(
            "inhibitions: [{name: a, source: [title = x], target: [title = y], equal: [source]}]",
            "1:74: equal: defaults routes by [source, type, labels.service], of which [type,"),
        of("defaults: {flapping: 5}", "1:22: flapping: must be a mapping (key: value), not '5'"),
        of("defaults: {flapping: {changes: 5}}", "1:22: flapping: needs both changes (a number)"),
        of("defaults: {flapping: {change: 5}}", "1:23: change: no such key; is it changes?"),
        of(
            "defaults: {flapping: {changes: 2, window: 1m}}",
            "1:32: changes: must be from 3 to 100, not 2"),
        of(
            "rules: [{name: a, flapping: {changes: 5, window: 25h}}]",
            "1:50: window: must be from 1s to 24h, not 25h"),
        of("rules: [{name: a, suppress: !!bool yes}]", "1:29: suppress: must be true or false"),
        of("rules: [{name: a, suppress: !!bool 'TRUE'}]", "1:29: suppress: must be true or fal"),
        of(
            "rules: [{name: a, match: ['title =~ \"((a{1000}){1000}){1000}\"']}]",
            "1:27: match: is too large once its repetitions are written out"),
        of(
            "rules: [{name: a, match: ['title =~ ((a{0,1000}){0,1000}){0,1000}']}]",
            "1:27: match: is too large once its repetitions are written out"),
        of("defaults: {close_after: 99999d}", "1:25: close_after: must be from 0s to 3653d, not"),
        of("defaults: {auto_resolve_after: 1ms}", "1:32: auto_resolve_after: must be from 1s"),
        of("defaults: {alerts_max: 0}", "1:24: alerts_max: must be from 1 to 1000, not 0"),
        of("defaults: {alerts_max: many}", "1:24: alerts_max: must be a whole number, not 'many'"),
        of("defaults: {alerts_max: 9999999999}", "1:24: alerts_max: is too large: 9999999999"),
        of("defaults: {default_severity: P7}", "1:30: default_severity: must be one of P0, P1"),
        of("defaults: {default_severity: UNSPECIFIED}", "1:30: default_severity: must be one of"),
        of("defaults: {group_by: []}", "1:22: group_by: must name at least one field"),
        of("defaults: {group_by: source}", "1:22: group_by: must be a list, not 'source'"),
        of("defaults: {group_by: [5]}", "1:23: group_by: must be text; a number, true or null"),
        of("defaults: {group_by: [service]}", "1:23: group_by: 'service' is none of source, t"),
        of(
            "defaults: {route_by: [source, title]}",
            "1:31: route_by: 'title' is not a part of what is grouped by, [source, type, la"),
        of("defaults: {volatile_labels: [a, null]}", "1:33: volatile_labels: must be text; a n"),
        of("rules: [5]", "1:9: rule: must be a mapping (key: value), not '5'"),
        of("rules: [{match: []}]", "1:9: rule: needs a name"),
        of("rules: [{name: 7}]", "1:16: name: must be text"),
        of("rules: [{name: a b}]", "1:16: name: must be 1 to 64 letters, digits, dots, hyphens"),
        of("rules: [{name: a, receipt_window: 1h}]", "1:19: receipt_window: no such key"),
        of("rules: [{name: a, match: x}]", "1:26: match: must be a list, not 'x'"),
        of("rules: [{name: a, match: [{}]}]", "1:27: match: must be text"),
        of("rules: [{name: a, match: [title]}]", "1:27: match: must be FIELD OPERATOR VALUE"),
        of("rules: [{name: a, match: ['= x']}]", "1:27: match: must be FIELD OPERATOR VALUE"),
        of("rules: [{name: a, match: ['title = \"x']}]", "1:27: match: the value has no closing"),
        of("rules: [{name: a, match: ['service = x']}]", "1:27: match: 'service' is none of wo"),
        of("rules: [{name: a, match: ['type = DB']}]", "1:27: match: 'DB' is no type: there are"),
        of("rules: [{name: a, match: ['title =~ \"a(\"']}]", "1:27: match: is no RE2 expressi"),
        of("rules: [{name: a, match: ['title =~ \"(?=a)\"']}]", "1:27: match: is no RE2 expr"),
        of("rules: [{name: a, suppress: 'yes'}]", "1:29: suppress: must be true or false, not"),
        of("rules: [{name: a, severity: P1}]", "1:29: severity: must be a mapping"),
        of("rules: [{name: a, severity: {from: title}}]", "1:29: severity: needs both from"),
        of("rules: [{name: a, severity: {from: x, map: {a: P1}}}]", "1:36: from: 'x' is none"),
        of("rules: [{name: a, severity: {from: title, map: {}}}]", "1:48: map: must name at"),
        of("rules: [{name: a, severity: {from: title, map: {a: 1}}}]", "1:52: a: must be one of"),
        of(
            "rules: [{name: a, severity: {from: title, map: {a: P1, a: P2}}}]",
            "1:56: a: stands here twice"),
        of(
            "rules: [{name: a, match: ['title = x']}, {name: a}]",
            "1:49: name: 'a' is the name of an earlier rule"),
        of(
            "rules: [{name: a}, {name: b, match: ['title = x']}]",
            "1:20: rule: can never match: the earlier rule 'a' has no matchers and takes"),
        of("rules: [{name: a, group_by: []}]", "1:29: group_by: must name at least one field"),
        of(
            "rules: [{name: a, route_by: [title]}]",
            "1:30: route_by: 'title' is not a part of what is grouped by"),
        of("rules: [{name: a, fingerprint_by: [severity]}]", "1:36: fingerprint_by: 'severity'"));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void fault_isToldWhereItStands(String text, String fault) {
    RulesDocument document = RulesDocument.parse(text);
    assertThat(document.faults())
        .singleElement()
        .satisfies(only -> assertThat(only.toString()).startsWith(fault));
    assertThatThrownBy(() -> document.rules(2)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void faults_areToldAtOnce_inTheirOrder() {
    String text =
        """
        defaults:
          groupby: [source]
          close_after: soon
        rules:
          - name: one
            match: ['title =~ "("']
            windows: 5m
          - name: one
        extra: true
        """;
    assertThat(RulesDocument.parse(text).faults())
        .extracting(fault -> fault.toString().replaceAll(": [^:]*$", ""))
        .containsExactly(
            "2:3: groupby",
            "3:16: close_after: must be a duration",
            "6:13: match: is no RE2 expression: missing closing )",
            "7:5: windows",
            "8:11: name",
            "9:1: extra");
  }

  @Test
  void faults_areBounded() {
    String text =
        IntStream.range(0, 150).mapToObj(i -> "key" + i + ": 1\n").collect(Collectors.joining());
    assertThat(RulesDocument.parse(text).faults())
        .hasSize(101)
        .last()
        .hasToString("101:1: this and 49 more faults follow");
  }

  @Test
  void unreadableMatcher_isNoMatcherLess() {
    // Else the rule behind it would be called unreachable as well.
    assertThat(RulesDocument.parse("rules: [{name: a, match: [x]}, {name: b}]").faults())
        .hasSize(1);
  }

  /** Any text: it is taken, or it has faults; and what is taken stamps. */
  @Property(tries = 300)
  void parse_neverThrows(@ForAll("documents") String text) {
    RulesDocument document = RulesDocument.parse(text);
    if (document.faults().isEmpty()) {
      assertThat(new Stamper(document.rules(2)).rulesVersion()).isEqualTo(2);
    } else {
      assertThat(document.faults()).allSatisfy(fault -> assertThat(fault.line()).isPositive());
    }
  }

  /** The example with some of its words exchanged, and noise. */
  @Provide
  Arbitrary<String> documents() throws IOException {
    List<String> words =
        Stream.concat(
                Arrays.stream(
                    Files.readString(EXAMPLE).replace("#", "").split("(?<=\\s)|(?=[\\[\\]{}:,'])")),
                Stream.of("\n", "  ", "- ", "rules:\n", "- name: a\n", "\"", "*a", "&b", "!!int "))
            .toList();
    return Arbitraries.oneOf(
        Arbitraries.of(words).list().ofMaxSize(60).map(all -> String.join("", all)),
        Arbitraries.strings().ofMaxLength(60));
  }

  private static Arguments of(String text, String fault) {
    return Arguments.of(text, fault);
  }
}
