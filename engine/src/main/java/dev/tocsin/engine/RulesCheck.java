package dev.tocsin.engine;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What is wrong with rules. The fold must be able to live under any that are activated, and the
 * edge to stamp under them: times that do not overflow, bounds that are bounds, expressions that
 * can be matched.
 */
public final class RulesCheck {
  private static final long SECOND_MS = 1000;
  private static final long TEN_YEARS_MS = Duration.ofDays(3653).toMillis();
  private static final int RECEIPTS_MAX = 100_000_000;
  private static final int LIST_MAX = 1000;
  private static final int OUTCOMES_MAX = 10_000_000;
  private static final int RULES_MAX = 100;
  private static final int MATCHERS_MAX = 20;
  private static final int SEVERITIES_MAX = 100;
  private static final int FIELDS_MAX = 50;
  private static final int EXPRESSION_BYTES_MAX = 1024;

  /** Of one compiled expression, and of all together: what they cost in memory and time. */
  private static final int PROGRAM_MAX = 5_000;

  private static final int PROGRAMS_MAX = 100_000;
  private static final java.util.regex.Pattern NAME =
      java.util.regex.Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  private final List<Fault> faults = new ArrayList<>();
  private int programs;

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
    List<Fault> faults = faults(rules);
    if (!faults.isEmpty()) {
      throw new IllegalArgumentException(
          String.join("; ", faults.stream().map(Fault::toString).toList()));
    }
  }

  private void check(Rules rules) {
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
    time("receiptWindowMs", rules.getReceiptWindowMs(), 0);
    number("receiptsMax", rules.getReceiptsMax(), RECEIPTS_MAX);
    time("outcomeWindowMs", rules.getOutcomeWindowMs(), SECOND_MS);
    number("outcomesMax", rules.getOutcomesMax(), OUTCOMES_MAX);
    time("reopenWindowMs", rules.getReopenWindowMs(), 0);
    // Shorter, and timers would be what the fold spends its time on.
    time("autoResolveAfterMs", rules.getAutoResolveAfterMs(), SECOND_MS);
    time("closeAfterMs", rules.getCloseAfterMs(), 0);
    time("retentionMs", rules.getRetentionMs(), 0);
    time("occurrenceIntervalMs", rules.getOccurrenceIntervalMs(), 0);
    number("timelineMax", rules.getTimelineMax(), LIST_MAX);
    number("alertsMax", rules.getAlertsMax(), LIST_MAX);
    number("notesMax", rules.getNotesMax(), LIST_MAX);
    rules(rules);
  }

  private void rules(Rules rules) {
    List<Rule> all = rules.getRules();
    if (all.size() > RULES_MAX) {
      fault("rules", "must be at most %d, not %d".formatted(RULES_MAX, all.size()));
      return;
    }
    Map<String, Integer> names = new HashMap<>();
    String catchesAll = null;
    for (int i = 0; i < all.size(); i++) {
      Rule rule = all.get(i);
      String path = "rules[" + i + "]";
      if (!NAME.matcher(rule.getName()).matches()) {
        fault(
            path + ".name",
            "must be 1 to 64 letters, digits, dots, hyphens and underscores, not '%s'"
                .formatted(shortened(rule.getName())));
      } else if (names.putIfAbsent(rule.getName(), i) != null) {
        fault(path + ".name", "'%s' is the name of an earlier rule".formatted(rule.getName()));
      }
      if (catchesAll != null) {
        fault(
            path,
            "can never match: the earlier rule '%s' has no matchers and takes every alert"
                .formatted(shortened(catchesAll)));
      } else if (rule.getMatchers().isEmpty()) {
        catchesAll = rule.getName();
      }
      rule(path + ".", rules, rule);
    }
    if (programs > PROGRAMS_MAX) {
      fault("rules", "have expressions that are too large, taken together");
    }
  }

  private void rule(String path, Rules rules, Rule rule) {
    if (rule.getMatchers().size() > MATCHERS_MAX) {
      fault(
          path + "matchers",
          "must be at most %d, not %d".formatted(MATCHERS_MAX, rule.getMatchers().size()));
    } else {
      for (int i = 0; i < rule.getMatchers().size(); i++) {
        matcher(path + "matchers[" + i + "]", rule.getMatchers().get(i));
      }
    }
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
    time(path + "reopenWindowMs", rule.getReopenWindowMs(), 0);
    time(path + "autoResolveAfterMs", rule.getAutoResolveAfterMs(), SECOND_MS);
    time(path + "closeAfterMs", rule.getCloseAfterMs(), 0);
    time(path + "retentionMs", rule.getRetentionMs(), 0);
    time(path + "occurrenceIntervalMs", rule.getOccurrenceIntervalMs(), 0);
    number(path + "timelineMax", rule.getTimelineMax(), LIST_MAX);
    number(path + "alertsMax", rule.getAlertsMax(), LIST_MAX);
    number(path + "notesMax", rule.getNotesMax(), LIST_MAX);
  }

  private void severities(String path, Rule rule) {
    boolean from = !rule.getSeverityFrom().isEmpty();
    if (from && AlertField.ofMatcher(rule.getSeverityFrom()) == null) {
      fault(
          path + "severityFrom",
          "'%s' is none of %s".formatted(shortened(rule.getSeverityFrom()), AlertField.MATCHED));
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

  private void matcher(String path, Matcher matcher) {
    if (AlertField.ofMatcher(matcher.getField()) == null) {
      fault(
          path + ".field",
          "'%s' is none of %s".formatted(shortened(matcher.getField()), AlertField.MATCHED));
    }
    switch (matcher.getOperator()) {
      case EQUAL, NOT_EQUAL -> value(path + ".value", matcher);
      case MATCHES, NOT_MATCHES -> expression(path + ".value", matcher.getValue());
      default -> fault(path + ".operator", "is not known to this version of Tocsin");
    }
  }

  /** A type or a severity that there is not would match nothing, or everything. */
  private void value(String path, Matcher matcher) {
    Enum<?>[] known =
        switch (matcher.getField()) {
          case "type" -> IncidentType.values();
          case "severity" -> Severity.values();
          default -> null;
        };
    if (known != null
        && Arrays.stream(known).noneMatch(each -> each.name().equals(matcher.getValue()))) {
      fault(
          path,
          "'%s' is no %s: there are %s"
              .formatted(
                  shortened(matcher.getValue()),
                  matcher.getField(),
                  String.join(", ", Arrays.stream(known).map(Enum::name).toList())));
    }
  }

  private void expression(String path, String text) {
    int bytes = text.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > EXPRESSION_BYTES_MAX) {
      fault(
          path,
          "is an expression of %d bytes; at most %d are taken"
              .formatted(bytes, EXPRESSION_BYTES_MAX));
      return;
    }
    if (programs > PROGRAMS_MAX) {
      return; // told at the end
    }
    try {
      int size = Pattern.compile(text).programSize();
      programs += size;
      if (size > PROGRAM_MAX) {
        fault(path, "is too large once its repetitions are written out");
      }
    } catch (PatternSyntaxException e) {
      fault(path, "is no RE2 expression: " + e.getDescription() + ": " + shortened(e.getPattern()));
    }
  }

  private void fields(String path, List<String> names) {
    fieldsMax(path, names);
    for (int i = 0; i < names.size(); i++) {
      String at = path + "[" + i + "]";
      if (AlertField.ofKey(names.get(i)) == null) {
        fault(at, "'%s' is none of %s".formatted(shortened(names.get(i)), AlertField.KEYS));
      }
      if (names.indexOf(names.get(i)) < i) {
        fault(at, "'%s' is named twice".formatted(shortened(names.get(i))));
      }
    }
  }

  private void fieldsMax(String path, List<String> names) {
    if (names.size() > FIELDS_MAX) {
      fault(path, "must be at most %d, not %d".formatted(FIELDS_MAX, names.size()));
    }
  }

  private void part(String path, List<String> names, List<String> of) {
    for (int i = 0; i < names.size(); i++) {
      if (!of.contains(names.get(i))) {
        fault(
            path + "[" + i + "]",
            "'%s' is not a part of what is grouped by, %s".formatted(shortened(names.get(i)), of));
      }
    }
  }

  private void time(String path, Long valueMs, long minMs) {
    if (valueMs != null && (valueMs < minMs || valueMs > TEN_YEARS_MS)) {
      fault(
          path,
          "must be from %s to %s, not %s"
              .formatted(text(minMs), text(TEN_YEARS_MS), text(valueMs)));
    }
  }

  private void number(String path, Integer value, int max) {
    if (value != null && (value < 1 || value > max)) {
      fault(path, "must be from 1 to %d, not %d".formatted(max, value));
    }
  }

  private void fault(String path, String what) {
    faults.add(new Fault(path, what));
  }

  /** The duration as it stands in a document: 24h, 5m, 30s, 250ms; days from a week on. */
  static String text(long ms) {
    long week = Duration.ofDays(7).toMillis();
    if (ms % (week / 7) == 0 && Math.abs(ms) >= week) {
      return ms / (week / 7) + "d";
    } else if (ms == 0) {
      return "0s";
    } else if (ms % 3_600_000 == 0) {
      return ms / 3_600_000 + "h";
    } else if (ms % 60_000 == 0) {
      return ms / 60_000 + "m";
    }
    return ms % 1000 == 0 ? ms / 1000 + "s" : ms + "ms";
  }

  private static String shortened(String text) {
    return text.length() <= 80 ? text : text.substring(0, 80) + "...";
  }
}
