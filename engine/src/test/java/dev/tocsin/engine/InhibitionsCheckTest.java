package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Inhibition;
import dev.tocsin.schemas.MatchOperator;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is wrong with inhibitions, and which can be decided within one route. */
class InhibitionsCheckTest {
  private static final List<Matcher> DOWN = List.of(equal("title", "down"));
  private static final List<Matcher> SLOW = List.of(equal("title", "slow"));

  @Test
  void sameRouteForAllThatIsPartOfEqual_canBeDecided() {
    Rules rules = DefaultRules.read();
    rules.setRouteBy(List.of("labels.service"));
    assertThat(faults(rules, List.of("labels.service"))).isEmpty();
    assertThat(faults(rules, List.of("labels.site", "labels.service"))).isEmpty();
  }

  @Test
  void route_thatIsNoPartOfEqualIsRefused() {
    assertThat(faults(DefaultRules.read(), List.of("labels.service", "labels.site")))
        .containsExactly(
            "inhibitions[0].equal defaults routes by [source, type, labels.service], of which"
                + " [source, type] is not in equal: two incidents with the same"
                + " [labels.service, labels.site] may lie in different partitions, where neither is"
                + " seen from the other; route_by: [labels.service] in each of them would allow it");
  }

  @Test
  void routes_thatDifferAreRefused() {
    Rules rules = DefaultRules.read();
    rules.setRouteBy(List.of("labels.service"));
    rules.setRules(
        List.of(rule("a", List.of("labels.service", "labels.site"), List.of("labels.site"))));
    rules.getRules().get(0).setMatchers(List.of(equal("labels.x", "y")));
    assertThat(faults(rules, List.of("labels.service", "labels.site")))
        .containsExactly(
            "inhibitions[0].equal rule 'a' routes by [labels.site], defaults routes by"
                + " [labels.service]: two incidents with the same [labels.service, labels.site] may"
                + " lie in different partitions, where neither is seen from the other; route_by:"
                + " [labels.service] in each of them would allow it");
  }

  @Test
  void groupings_thatHaveNothingInCommonWithEqualAreRefusedWithoutARemedy() {
    Rules rules = DefaultRules.read();
    rules.setRules(List.of(rule("a", List.of("title"), List.of())));
    rules.getRules().get(0).setMatchers(List.of(equal("labels.x", "y")));
    assertThat(faults(rules, List.of("labels.service")))
        .containsExactly(
            "inhibitions[0].equal rule 'a' routes by [title], defaults routes by"
                + " [source, type, labels.service]: two incidents with the same [labels.service] may"
                + " lie in different partitions, where neither is seen from the other; route_by"
                + " cannot help, for no field of equal is in every group_by: rule 'a' groups by"
                + " [title], defaults groups by [source, type, labels.service]");
  }

  @Test
  void rule_thatContradictsBothSidesIsNotConcerned() {
    Rules rules = DefaultRules.read();
    rules.setRouteBy(List.of("labels.service"));
    Rule other = rule("other", List.of("title"), List.of());
    other.setMatchers(List.of(equal("title", "else")));
    rules.setRules(List.of(other));
    assertThat(faults(rules, List.of("labels.service"))).isEmpty();
    other.setMatchers(List.of(equal("severity", "P0")));
    rules.getInhibitions().get(0).setSource(List.of(equal("severity", "P1")));
    assertThat(RulesCheck.faults(rules)).as("severities may be mapped").hasSize(1);
  }

  @Test
  void rule_thatTakesAllOfASideLeavesNothingForThoseBehind() {
    Rules rules = DefaultRules.read();
    Rule mine = rule("mine", List.of("title", "labels.site"), List.of("labels.site"));
    mine.setMatchers(List.of(equal("labels.team", "net")));
    rules.setRules(List.of(mine));
    List<Matcher> side = List.of(equal("labels.team", "net"), equal("title", "down"));
    rules.setInhibitions(
        List.of(new Inhibition("i", side, mine.getMatchers(), List.of("labels.site"))));
    assertThat(RulesCheck.faults(rules)).isEmpty();
    rules.getInhibitions().get(0).setTarget(SLOW);
    assertThat(RulesCheck.faults(rules)).as("defaults may stamp targets").hasSize(1);
  }

  @Test
  void rule_withoutMatchersTakesAllAndOneThatSuppressesOpensNothing() {
    Rules rules = DefaultRules.read();
    Rule quiet = rule("quiet", List.of("title"), List.of());
    quiet.setSuppress(true);
    quiet.setMatchers(List.of(equal("labels.env", "test")));
    rules.setRules(List.of(quiet, rule("all", List.of("labels.site"), List.of())));
    assertThat(faults(rules, List.of("labels.site"))).isEmpty();
  }

  @Test
  void many_areNamedInPart() {
    Rules rules = DefaultRules.read();
    rules.setRules(
        IntStream.range(0, 8)
            .mapToObj(
                i -> {
                  Rule rule = rule("r" + i, List.of("title"), List.of());
                  rule.setMatchers(List.of(equal("labels.x", "y" + i)));
                  return rule;
                })
            .toList());
    assertThat(faults(rules, List.of("title")))
        .singleElement()
        .asString()
        .contains("rule 'r4' routes by [title], 4 more: two incidents")
        .doesNotContain("'r5'");
  }

  @Test
  void shape_isHeldToItsBounds() {
    Rules rules = DefaultRules.read();
    rules.setInhibitions(
        List.of(
            new Inhibition("a b", List.of(), SLOW, List.of()),
            new Inhibition("ok", DOWN, List.of(equal("nonsense", "x")), List.of("description")),
            new Inhibition("ok", Collections.nCopies(21, DOWN.get(0)), SLOW, List.of("x"))));
    assertThat(RulesCheck.faults(rules))
        .extracting(RulesCheck.Fault::toString)
        .containsExactly(
            "inhibitions[0].name must be 1 to 64 letters, digits, dots, hyphens and underscores, not"
                + " 'a b'",
            "inhibitions[0].source must have at least one matcher",
            "inhibitions[0].equal must name at least one field",
            "inhibitions[1].target[0].field 'nonsense' is none of workspace, source, type, title,"
                + " description, severity, labels.NAME",
            "inhibitions[1].equal[0] 'description' is none of source, type, title, labels.NAME",
            "inhibitions[2].name 'ok' is the name of an earlier inhibition",
            "inhibitions[2].source must be at most 20, not 21",
            "inhibitions[2].equal[0] 'x' is none of source, type, title, labels.NAME");
    rules.setInhibitions(
        IntStream.range(0, 51)
            .mapToObj(i -> new Inhibition("i" + i, DOWN, SLOW, List.of("title")))
            .toList());
    assertThat(RulesCheck.faults(rules))
        .extracting(RulesCheck.Fault::toString)
        .containsExactly("inhibitions must be at most 50, not 51");
  }

  @Test
  void expressions_countAgainstTheBoundOfAll() {
    Rules rules = DefaultRules.read();
    rules.setRouteBy(List.of("labels.service"));
    List<Matcher> costly =
        Collections.nCopies(20, new Matcher("title", MatchOperator.MATCHES, "(ab?c{2}){50}"));
    rules.setInhibitions(List.of(new Inhibition("i", costly, SLOW, List.of("labels.service"))));
    assertThat(RulesCheck.faults(rules)).isEmpty();
    rules.setInhibitions(List.of(new Inhibition("i", costly, costly, List.of("labels.service"))));
    assertThat(RulesCheck.faults(rules))
        .extracting(RulesCheck.Fault::path)
        .containsExactly("rules");
  }

  private static List<String> faults(Rules rules, List<String> equal) {
    rules.setInhibitions(List.of(new Inhibition("i", DOWN, SLOW, equal)));
    return RulesCheck.faults(rules).stream().map(RulesCheck.Fault::toString).toList();
  }

  private static Rule rule(String name, List<String> groupBy, List<String> routeBy) {
    return Rule.newBuilder().setName(name).setGroupBy(groupBy).setRouteBy(routeBy).build();
  }

  private static Matcher equal(String field, String value) {
    return new Matcher(field, MatchOperator.EQUAL, value);
  }
}
