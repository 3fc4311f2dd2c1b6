package dev.tocsin.engine;

import static dev.tocsin.engine.RulesCheck.text;

import dev.tocsin.schemas.Inhibition;
import dev.tocsin.schemas.MatchOperator;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What is wrong with inhibitions. A partition's fold sees no other partition, so an inhibition can
 * be decided only if whatever it is about meets in one: incidents with the same equal fields have
 * to have the same route, whichever rule stamped them.
 */
final class InhibitionsCheck {
  private static final int INHIBITIONS_MAX = 50;

  /** Rules that one fault names. */
  private static final int NAMED_MAX = 5;

  /** What a rule may have made of the severity that was sent, so it tells no two alerts apart. */
  private static final String MAPPED = "severity";

  /** How one rule, or what holds for all, groups and routes. */
  private record Stamping(String who, List<String> groupBy, List<String> routeBy) {}

  private final RulesCheck check;
  private final Rules rules;

  InhibitionsCheck(RulesCheck check, Rules rules) {
    this.check = check;
    this.rules = rules;
  }

  /** Tells every fault. */
  void check() {
    List<Inhibition> all = rules.getInhibitions();
    if (all.size() > INHIBITIONS_MAX) {
      check.fault("inhibitions", text("must be at most %d, not %d", INHIBITIONS_MAX, all.size()));
      return;
    }
    Set<String> names = new HashSet<>();
    for (int i = 0; i < all.size(); i++) {
      Inhibition each = all.get(i);
      String path = "inhibitions[" + i + "].";
      check.name(path + "name", each.getName(), "inhibition", names);
      side(path + "source", each.getSource());
      side(path + "target", each.getTarget());
      check.fields(path + "equal", each.getEqual());
      if (each.getEqual().isEmpty()) {
        check.fault(path + "equal", "must name at least one field");
      } else if (each.getEqual().stream().allMatch(field -> AlertField.ofKey(field) != null)) {
        decidable(path + "equal", each);
      }
    }
  }

  private void side(String path, List<Matcher> matchers) {
    if (matchers.isEmpty()) {
      check.fault(path, "must have at least one matcher");
    }
    check.matchers().check(path, matchers);
  }

  private void decidable(String path, Inhibition inhibition) {
    List<String> equal = inhibition.getEqual();
    Set<Stamping> concerned = new LinkedHashSet<>(stampings(inhibition.getSource()));
    concerned.addAll(stampings(inhibition.getTarget()));
    Set<List<String>> routes =
        concerned.stream().map(Stamping::routeBy).collect(Collectors.toSet());
    if (routes.size() <= 1 && routes.stream().allMatch(equal::containsAll)) {
      return;
    }
    check.fault(
        path,
        text(
            "%s: two incidents with the same %s may lie in different partitions, where neither is"
                + " seen from the other; %s",
            routing(concerned, equal), equal, remedy(concerned, equal)));
  }

  private static String routing(Set<Stamping> concerned, List<String> equal) {
    List<String> strange =
        concerned.stream()
            .flatMap(each -> each.routeBy().stream())
            .distinct()
            .filter(field -> !equal.contains(field))
            .toList();
    boolean alike = concerned.stream().map(Stamping::routeBy).distinct().count() == 1;
    return named(concerned, each -> each.who() + " routes by " + each.routeBy())
        + (alike && !strange.isEmpty() ? ", of which " + strange + " is not in equal" : "");
  }

  private static String remedy(Set<Stamping> concerned, List<String> equal) {
    List<String> common =
        equal.stream()
            .filter(field -> concerned.stream().allMatch(each -> each.groupBy().contains(field)))
            .toList();
    return common.isEmpty()
        ? "route_by cannot help, for no field of equal is in every group_by: "
            + named(concerned, each -> each.who() + " groups by " + each.groupBy())
        : "route_by: " + common + " in each of them would allow it";
  }

  private static String named(
      Set<Stamping> concerned, java.util.function.Function<Stamping, String> words) {
    int more = concerned.size() - NAMED_MAX;
    Stream<String> some = concerned.stream().limit(NAMED_MAX).map(words);
    return Stream.concat(some, more > 0 ? Stream.of(more + " more") : Stream.of())
        .collect(Collectors.joining(", "));
  }

  /** Whoever could stamp an alert that opens an incident which all these match, in order. */
  private List<Stamping> stampings(List<Matcher> side) {
    List<Stamping> found = new ArrayList<>();
    for (Rule rule : rules.getRules()) {
      if (contradicts(rule.getMatchers(), side)) {
        continue;
      }
      if (!rule.getSuppress()) { // what it stamps opens nothing
        found.add(
            new Stamping(
                "rule '" + rule.getName() + "'",
                AlertStamping.groupBy(rules, rule),
                AlertStamping.routeBy(rules, rule)));
      }
      if (takesAll(rule.getMatchers(), side)) {
        return found; // nothing comes past it
      }
    }
    found.add(new Stamping("defaults", rules.getGroupBy(), rules.getRouteBy()));
    return found;
  }

  private static boolean contradicts(List<Matcher> rule, List<Matcher> side) {
    return rule.stream()
        .filter(InhibitionsCheck::tells)
        .anyMatch(
            one ->
                side.stream()
                    .filter(InhibitionsCheck::tells)
                    .anyMatch(
                        other ->
                            one.getField().equals(other.getField())
                                && !one.getValue().equals(other.getValue())));
  }

  /**
   * Whether each alert that the side can match is matched by the rule, as far as it can be told.
   */
  private static boolean takesAll(List<Matcher> rule, List<Matcher> side) {
    return rule.stream().allMatch(one -> tells(one) && side.contains(one));
  }

  private static boolean tells(Matcher matcher) {
    return matcher.getOperator() == MatchOperator.EQUAL && !matcher.getField().equals(MAPPED);
  }
}
