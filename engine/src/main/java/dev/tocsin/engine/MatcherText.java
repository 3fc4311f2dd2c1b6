package dev.tocsin.engine;

import dev.tocsin.schemas.MatchOperator;
import dev.tocsin.schemas.Matcher;
import java.util.EnumMap;
import java.util.Map;
import java.util.regex.Pattern;

/** A matcher as people write it: {@code FIELD OPERATOR VALUE}. */
public final class MatcherText {
  private static final Pattern FORM =
      Pattern.compile("\\s*([^=!~\\s]+)\\s*(=~|!~|!=|=)(.*)", Pattern.DOTALL);
  private static final Map<MatchOperator, String> SIGNS =
      new EnumMap<>(
          Map.of(
              MatchOperator.EQUAL, "=",
              MatchOperator.NOT_EQUAL, "!=",
              MatchOperator.MATCHES, "=~",
              MatchOperator.NOT_MATCHES, "!~"));

  private MatcherText() {}

  /**
   * Reads one. Whether there is such a field, and such an expression, is for others to say.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  public static Matcher read(String text) {
    java.util.regex.Matcher parts = FORM.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          RulesCheck.text(
              "must be FIELD OPERATOR VALUE, the operator one of =, !=, =~, !~, not '%s'",
              RulesCheck.shortened(text)));
    }
    String value = parts.group(3).strip();
    if (value.startsWith("\"")) {
      if (value.length() < 2 || !value.endsWith("\"")) {
        throw new IllegalArgumentException("the value has no closing quote");
      }
      value = value.substring(1, value.length() - 1);
    }
    return new Matcher(parts.group(1), operator(parts.group(2)), value);
  }

  /** One that reads as this matcher. */
  public static String of(Matcher matcher) {
    return matcher.getField()
        + " "
        + SIGNS.getOrDefault(matcher.getOperator(), "?")
        + " \""
        + matcher.getValue()
        + "\"";
  }

  private static MatchOperator operator(String sign) {
    return SIGNS.entrySet().stream()
        .filter(each -> each.getValue().equals(sign))
        .findAny()
        .orElseThrow()
        .getKey();
  }
}
