package dev.tocsin.engine;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Matcher;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A matcher, ready to be asked of many alerts. Expressions are RE2's: matching takes time linear in
 * the text, whatever the expression. Immutable.
 */
final class AlertMatcher implements Predicate<Alert> {
  /** A choice of plain words, which a set finds faster than an expression does. */
  private static final java.util.regex.Pattern WORDS =
      java.util.regex.Pattern.compile("[A-Za-z0-9_:/@,; -]*(\\|[A-Za-z0-9_:/@,; -]*)*");

  private final Function<Alert, String> field;
  private final Predicate<String> value;
  private final boolean wanted;

  /**
   * A matcher of rules that {@link RulesCheck} takes.
   *
   * @throws PatternSyntaxException if its expression is none
   */
  AlertMatcher(Matcher matcher) {
    field = AlertField.ofMatcher(matcher.getField());
    String text = matcher.getValue();
    switch (matcher.getOperator()) {
      case EQUAL, NOT_EQUAL -> value = text::equals;
      case MATCHES, NOT_MATCHES -> value = expression(text);
      default -> throw new IllegalArgumentException("unknown operator");
    }
    wanted =
        switch (matcher.getOperator()) {
          case EQUAL, MATCHES -> true;
          default -> false;
        };
  }

  @Override
  public boolean test(Alert alert) {
    return value.test(field.apply(alert)) == wanted;
  }

  private static Predicate<String> expression(String text) {
    if (WORDS.matcher(text).matches()) {
      return Set.copyOf(java.util.List.of(text.split("\\|", -1)))::contains;
    }
    return Pattern.compile(text)::matches;
  }
}
