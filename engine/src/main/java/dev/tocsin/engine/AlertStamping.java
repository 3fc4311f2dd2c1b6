package dev.tocsin.engine;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.GeneratedClasses;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** What the stamps of an alert are made of, under one rule or under none. Immutable. */
final class AlertStamping {
  /**
   * A field that rules name, and how to read it.
   *
   * @param name as a part of a key
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Field(byte[] name, Function<Alert, String> value) {}

  static {
    GeneratedClasses.trust();
  }

  final String rule;
  final boolean suppress;
  final List<Field> groupBy;
  final List<Field> routeBy;
  final List<Field> fingerprintBy;

  /** Whether the route is made of the same fields as the group. */
  final boolean routeIsGroup;

  private final Set<String> volatileLabels;
  private final AlertMatcher[] matchers;
  private final Function<Alert, String> severityFrom; // null where no severities are
  private final Map<String, Severity> severities;
  private final Severity defaultSeverity;

  private AlertStamping(Rules rules, Rule rule) {
    this.rule = rule.getName();
    this.suppress = rule.getSuppress();
    this.groupBy = fields(groupBy(rules, rule));
    this.routeBy = fields(routeBy(rules, rule));
    this.routeIsGroup = groupBy(rules, rule).equals(routeBy(rules, rule));
    this.fingerprintBy = fields(rule.getFingerprintBy());
    this.volatileLabels =
        Set.copyOf(
            rule.getVolatileLabels() == null
                ? rules.getVolatileLabels()
                : rule.getVolatileLabels());
    this.matchers = rule.getMatchers().stream().map(AlertMatcher::new).toArray(AlertMatcher[]::new);
    this.severityFrom = AlertField.ofMatcher(rule.getSeverityFrom());
    this.severities = Map.copyOf(rule.getSeverities());
    this.defaultSeverity =
        rule.getDefaultSeverity() == null ? rules.getDefaultSeverity() : rule.getDefaultSeverity();
  }

  static AlertStamping under(Rules rules, Rule rule) {
    return new AlertStamping(rules, rule);
  }

  /** For alerts that no rule matches. */
  static AlertStamping underNone(Rules rules) {
    return new AlertStamping(rules, Rule.newBuilder().setName("").build());
  }

  boolean matches(Alert alert) {
    for (AlertMatcher matcher : matchers) {
      if (!matcher.test(alert)) {
        return false;
      }
    }
    return true;
  }

  /** The names of those labels that are part of the fingerprint, sorted. */
  String[] lastingLabels(Map<String, String> labels) {
    String[] names = labels.keySet().toArray(String[]::new);
    int lasting = names.length;
    if (!volatileLabels.isEmpty()) {
      lasting = 0;
      for (String name : names) {
        if (!volatileLabels.contains(name)) {
          names[lasting++] = name;
        }
      }
    }
    Arrays.sort(names, 0, lasting);
    return lasting == names.length ? names : Arrays.copyOf(names, lasting);
  }

  Severity severity(Alert alert) {
    Severity mapped = severities.isEmpty() ? null : severities.get(severityFrom.apply(alert));
    if (mapped != null) {
      return mapped;
    }
    return alert.getSeverity() == Severity.UNSPECIFIED ? defaultSeverity : alert.getSeverity();
  }

  /** What a rule groups by. */
  static List<String> groupBy(Rules rules, Rule rule) {
    return rule.getGroupBy().isEmpty() ? rules.getGroupBy() : rule.getGroupBy();
  }

  /** What a rule routes by. */
  static List<String> routeBy(Rules rules, Rule rule) {
    if (!rule.getRouteBy().isEmpty()) {
      return rule.getRouteBy();
    }
    return rule.getGroupBy().isEmpty() ? rules.getRouteBy() : rule.getGroupBy();
  }

  static List<Field> fields(List<String> names) {
    return names.stream()
        .map(name -> new Field(KeyEncoder.part(name), AlertField.ofKey(name)))
        .toList();
  }
}
