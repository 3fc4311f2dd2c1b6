package dev.tocsin.engine;

import static dev.tocsin.engine.RulesCheck.shortened;
import static dev.tocsin.engine.RulesCheck.text;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.tocsin.engine.RulesCheck.Fault;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Severity;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * What is wrong with matchers: fields that there are not, expressions that are none, and too much
 * of them. One check is for all that are asked together, since what they cost adds up. Not
 * thread-safe.
 */
final class MatchersCheck {
  private static final int MATCHERS_MAX = 20;
  private static final int EXPRESSION_BYTES_MAX = 1024;

  /** Of one compiled expression: what it costs in memory. */
  private static final int PROGRAM_MAX = 5_000;

  private static final int DESCRIPTION_MAX = 16_384;
  private static final int TEXT_MAX = 1024;

  private final List<Fault> faults;
  private final long stepsMax;
  private long steps;

  /**
   * A check that has seen none yet.
   *
   * @param faults gets what is found
   * @param stepsMax of all expressions together: each one's size times the longest text that its
   *     field can hold
   */
  MatchersCheck(List<Fault> faults, long stepsMax) {
    this.faults = faults;
    this.stepsMax = stepsMax;
  }

  /** Some that all have to match. */
  void check(String path, List<Matcher> matchers) {
    if (matchers.size() > MATCHERS_MAX) {
      fault(path, text("must be at most %d, not %d", MATCHERS_MAX, matchers.size()));
      return;
    }
    for (int i = 0; i < matchers.size(); i++) {
      matcher(path + "[" + i + "]", matchers.get(i));
    }
  }

  /** Whether all that were seen cost more than they may, which is no fault of any one of them. */
  boolean tooCostly() {
    return steps > stepsMax;
  }

  long steps() {
    return steps;
  }

  private void matcher(String path, Matcher matcher) {
    if (AlertField.ofMatcher(matcher.getField()) == null) {
      fault(
          path + ".field",
          text("'%s' is none of %s", shortened(matcher.getField()), AlertField.MATCHED));
    }
    switch (matcher.getOperator()) {
      case EQUAL, NOT_EQUAL -> value(path + ".value", matcher);
      case MATCHES, NOT_MATCHES -> expression(path + ".value", matcher);
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
          text(
              "'%s' is no %s: there are %s",
              shortened(matcher.getValue()),
              matcher.getField(),
              String.join(", ", Arrays.stream(known).map(Enum::name).toList())));
    }
  }

  private void expression(String path, Matcher matcher) {
    String text = matcher.getValue();
    int bytes = text.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > EXPRESSION_BYTES_MAX) {
      fault(
          path,
          text("is an expression of %d bytes; at most %d are taken", bytes, EXPRESSION_BYTES_MAX));
      return;
    }
    if (tooCostly()) {
      return; // told at the end
    }
    if (ExpressionSize.of(text) > PROGRAM_MAX) { // or compiling it may take all memory there is
      fault(
          path,
          text("is too large once its repetitions are written out: at most %d steps", PROGRAM_MAX));
      return;
    }
    try {
      boolean isLong = matcher.getField().equals("description");
      steps += (long) Pattern.compile(text).programSize() * (isLong ? DESCRIPTION_MAX : TEXT_MAX);
    } catch (PatternSyntaxException e) {
      fault(path, "is no RE2 expression: " + e.getDescription() + ": " + shortened(e.getPattern()));
    }
  }

  private void fault(String path, String what) {
    faults.add(new Fault(path, what));
  }
}
