package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The size of expressions, told without compiling them. */
class ExpressionSizeTest {
  private static final long FAR_TOO_LARGE = 1_000_000;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "((a{1000}){1000}){1000}",
        "((a{0,1000}){0,1000}){0,1000}",
        "((a{1000,}){1000,}){1000,}",
        "(?:(?i:a{1000}){1000}){1000}",
        "(?P<n>([a-z]{1000}){1000}){1000}",
        "(([[:alpha:]]{1000}){1000}){1000}",
        "(([)\\]}]{1000}){1000}){1000}",
        "(([^]]{1000}){1000}){1000}",
        "((\\x{1F600}{1000}){1000}){1000}",
        "((\\p{Greek}{1000}){1000}){1000}",
        "((\\pL{1000}){1000}){1000}",
        "((\\){1000}){1000}){1000}",
        "((\\Q)\\E{1000}){1000}){1000}",
        "(((a|b)?{1000}){1000}){1000}",
        "(((((((((((((a{9}){9}){9}){9}){9}){9}){9}){9}){9}){9}){9}){9}){9}){9}",
        "[a](((){1000}){1000}){1000}",
        "a{1000}(?i){1000}(?s-i){1000}",
      })
  void nestedRepetitions_areTheirProduct(String expression) {
    assertThat(ExpressionSize.of(expression)).isGreaterThan(FAR_TOO_LARGE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "((a{10}){10}){2}",
        "[{1000}{1000}{1000}]{3}",
        "[]{1000}({1000}){1000}]",
        "[^]{1000}{1000}{1000}]",
        "\\Q((a{1000}){1000}){1000}\\E",
        "\\{1000}\\{1000}",
        "\\x{1000}\\x{1000}\\x{1000}",
        "a{1000}b{1000}",
        "a{,1000}{x}{1000",
        "{{{{{{{{{{",
        ")))(((",
        "",
        "\\",
        "[",
        "[[:alpha:",
        "\\Q",
      })
  void whatOnlyLooksLikeThem_isNoProduct(String expression) {
    assertThat(ExpressionSize.of(expression)).isLessThan(5000);
  }

  @Test
  void size_hasABound() {
    assertThat(ExpressionSize.of("(".repeat(300) + "a" + "{1000})".repeat(100)))
        .isEqualTo(ExpressionSize.MAX);
    assertThat(ExpressionSize.of("a{999999999}{999999999}{999999999}"))
        .isEqualTo(ExpressionSize.MAX);
  }

  /** Else what it lets through could be of any size. */
  @Property(tries = 3000)
  void size_isNeverLessThanWhatIsCompiled(@ForAll("expressions") String expression) {
    long size = ExpressionSize.of(expression);
    if (size > 20_000) {
      return;
    }
    try {
      assertThat((long) Pattern.compile(expression).programSize()).isLessThanOrEqualTo(size);
    } catch (PatternSyntaxException e) {
      assertThat(size).isPositive(); // it is told by whoever compiles it
    }
  }

  @Provide
  Arbitrary<String> expressions() {
    List<String> parts =
        List.of(
            "a",
            "b",
            ".",
            "(",
            "(",
            "(?:",
            "(?i)",
            ")",
            ")",
            "|",
            "*",
            "+",
            "?",
            "*?",
            "{2}",
            "{0}",
            "{3,}",
            "{0,4}",
            "{1,2}?",
            "{10}",
            "{",
            "}",
            "[",
            "]",
            "[^",
            "[a-c]",
            "[]{5}]",
            "[[:alpha:]]",
            "[{5}]",
            "\\",
            "\\d",
            "\\pL",
            "\\p{Greek}",
            "\\x{20}",
            "\\x41",
            "\\Q",
            "\\E",
            "\\{",
            "\\[",
            "^",
            "$",
            "\\b",
            "-",
            "ä",
            "😀");
    return Arbitraries.oneOf(
        Arbitraries.of(parts).list().ofMaxSize(14).map(all -> String.join("", all)),
        nested(Arbitraries.of("a", "[{5}]", "\\Q{5}\\E", "", "a|b", "\\)", "|||")));
  }

  private static Arbitrary<String> nested(Arbitrary<String> inner) {
    Arbitrary<String> suffix = Arbitraries.of("", "*", "+", "?", "{3}", "{0,5}", "{2,}", "{9}");
    Arbitrary<String> result = inner;
    for (int depth = 0; depth < 4; depth++) {
      Arbitrary<String> within = result;
      result =
          within.flatMap(
              one -> suffix.flatMap(how -> inner.map(more -> "(" + one + ")" + how + more)));
    }
    return result;
  }
}
