package dev.tocsin.cli;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code 500ms}, {@code 1.5s}, {@code 2m}, {@code 1h}; a bare number is seconds. */
final class Durations implements ITypeConverter<Duration> {
  private static final Pattern FORM = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,3})?)(ms|s|m|h|)");
  private static final Duration MAX = Duration.ofDays(1);

  @Override
  public Duration convert(String text) {
    Matcher form = FORM.matcher(text.trim());
    if (!form.matches()) {
      throw new TypeConversionException("'" + text + "' is no time such as 500ms, 10s or 2m");
    }
    long unitMs =
        switch (form.group(2)) {
          case "ms" -> 1;
          case "m" -> 60_000;
          case "h" -> 3_600_000;
          default -> 1_000;
        };
    BigDecimal ms = new BigDecimal(form.group(1)).multiply(BigDecimal.valueOf(unitMs));
    Duration time = Duration.ofMillis(ms.longValue());
    if (time.isZero() || time.compareTo(MAX) > 0) {
      throw new TypeConversionException("'" + text + "' is not between 1ms and 24h");
    }
    return time;
  }
}
