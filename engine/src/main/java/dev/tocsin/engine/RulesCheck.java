package dev.tocsin.engine;

import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What is wrong with rules. The fold must be able to live under any that are activated, and the
 * edge to stamp under them: times that do not overflow, bounds that are bounds, expressions that
 * can be matched. It is for publishers and edges, and may get stricter; the fold itself asks {@link
 * RulesNumbers} alone.
 */
public final class RulesCheck {
  private static final int RULES_MAX = 100;
  private static final int SEVERITIES_MAX = 100;
  private static final int FIELDS_MAX = 50;

  /**
   * Of all expressions together: each one's size times the longest text that its field can hold, so
   * the steps that the worst alert takes on the edge's threads. At 25 to 55 ns each, as measured,
   * that is half a second.
   */
  private static final long STEPS_MAX = 10_000_000;

  private static final java.util.regex.Pattern NAME =
      java.util.regex.Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  private final List<Fault> faults = new ArrayList<>();
  private final MatchersCheck matchers = new MatchersCheck(faults, STEPS_MAX);

  private RulesCheck() {}

  /**
   * One fault.
   *
   * @param path to what is wrong, by the names of the record's fields: {@code
   *     rules[2].matchers[0].value}
   * @param what is wrong with it, in words
   */
  public record Fault(String path, String what) {
    @Override
    public String toString() {
      return path + " " + what;
    }
  }

  /** Every fault; none if the rules can be activated. */
  public static List<Fault> faults(Rules rules) {
    RulesCheck check = new RulesCheck();
    check.check(rules);
    return check.faults;
  }

  /**
   * Takes them or throws.
   *
   * @throws IllegalArgumentException naming every fault
   */
  static void require(Rules rules) {
    require(faults(rules));
  }

  static void require(List<Fault> faults) {
    if (!faults.isEmpty()) {
      throw new IllegalArgumentException(
          String.join("; ", faults.stream().map(Fault::toString).toList()));
    }
  }

  private void check(Rules rules) {
    faults.addAll(RulesNumbers.faults(rules));
    if (rules.getGroupBy().isEmpty()) {
      fault("groupBy", "must name at least one field");
    }
    if (rules.getRouteBy().isEmpty()) {
      fault("routeBy", "must name at least one field");
    }
    fields("groupBy", rules.getGroupBy());
    fields("routeBy", rules.getRouteBy());
    part("routeBy", rules.getRouteBy(), rules.getGroupBy());
    fieldsMax("volatileLabels", rules.getVolatileLabels());
    if (rules.getDefaultSeverity() == Severity.UNSPECIFIED) {
      fault("defaultSeverity", "must be one of P0 to P4");
    }
    rules(rules);
    new InhibitionsCheck(this, rules).check();
    if (matchers.tooCostly()) {
      fault(
          "rules",
          text(
              "have expressions that are too costly, taken together: an alert may cost %d steps,"
                  + " the size of each expression times the longest text of its field",
              STEPS_MAX));
    }
  }

  private void rules(Rules rules) {
    List<Rule> all = rules.getRules();
    if (all.size() > RULES_MAX) {
      fault("rules", text("must be at most %d, not %d", RULES_MAX, all.size()));
      return;
    }
    Set<String> names = new HashSet<>();
    String catchesAll = null;
    for (int i = 0; i < all.size(); i++) {
      Rule rule = all.get(i);
      String path = "rules[" + i + "]";
      name(path + ".name", rule.getName(), "rule", names);
      if (catchesAll != null) {
        fault(
            path,
            text(
                "can never match: the earlier rule '%s' has no matchers and takes every alert",
                shortened(catchesAll)));
      } else if (rule.getMatchers().isEmpty()) {
        catchesAll = rule.getName();
      }
      rule(path + ".", rules, rule);
    }
  }

  /** A name that tells it from all before it. */
  void name(String path, String name, String what, Set<String> earlier) {
    if (!NAME.matcher(name).matches()) {
      fault(
          path,
          text(
              "must be 1 to 64 letters, digits, dots, hyphens and underscores, not '%s'",
              shortened(name)));
    } else if (!earlier.add(name)) {
      fault(path, text("'%s' is the name of an earlier %s", name, what));
    }
  }

  /** What all the matchers that a document has are held to. */
  MatchersCheck matchers() {
    return matchers;
  }

  private void rule(String path, Rules rules, Rule rule) {
    matchers.check(path + "matchers", rule.getMatchers());
    fields(path + "groupBy", rule.getGroupBy());
    fields(path + "routeBy", rule.getRouteBy());
    fields(path + "fingerprintBy", rule.getFingerprintBy());
    part(path + "routeBy", rule.getRouteBy(), AlertStamping.groupBy(rules, rule));
    if (rule.getVolatileLabels() != null) {
      fieldsMax(path + "volatileLabels", rule.getVolatileLabels());
    }
    severities(path, rule);
    if (rule.getDefaultSeverity() == Severity.UNSPECIFIED) {
      fault(path + "defaultSeverity", "must be one of P0 to P4");
    }
  }

  private void severities(String path, Rule rule) {
    boolean from = !rule.getSeverityFrom().isEmpty();
    if (from && AlertField.ofMatcher(rule.getSeverityFrom()) == null) {
      fault(
          path + "severityFrom",
          text("'%s' is none of %s", shortened(rule.getSeverityFrom()), AlertField.MATCHED));
    }
    if (from == rule.getSeverities().isEmpty()) {
      fault(path + "severityFrom", "needs both a field and a map of its values");
    }
    if (rule.getSeverities().size() > SEVERITIES_MAX) {
      fault(path + "severities", "must be at most " + SEVERITIES_MAX);
    }
    if (rule.getSeverities().containsValue(Severity.UNSPECIFIED)) {
      fault(path + "severities", "must each be one of P0 to P4");
    }
  }

  /** Fields that keys may be made of. */
  void fields(String path, List<String> names) {
    fieldsMax(path, names);
    for (int i = 0; i < names.size(); i++) {
      String at = path + "[" + i + "]";
      if (AlertField.ofKey(names.get(i)) == null) {
        fault(at, text("'%s' is none of %s", shortened(names.get(i)), AlertField.KEYS));
      }
      if (names.indexOf(names.get(i)) < i) {
        fault(at, text("'%s' is named twice", shortened(names.get(i))));
      }
    }
  }

  private void fieldsMax(String path, List<String> names) {
    if (names.size() > FIELDS_MAX) {
      fault(path, text("must be at most %d, not %d", FIELDS_MAX, names.size()));
    }
  }

  private void part(String path, List<String> names, List<String> of) {
    for (int i = 0; i < names.size(); i++) {
      if (!of.contains(names.get(i))) {
        fault(
            path + "[" + i + "]",
            text("'%s' is not a part of what is grouped by, %s", shortened(names.get(i)), of));
      }
    }
  }

  void fault(String path, String what) {
    faults.add(new Fault(path, what));
  }

  /** The same words in every country. */
  static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  static String shortened(String text) {
    return text.length() <= 80 ? text : text.substring(0, 80) + "...";
  }
}
