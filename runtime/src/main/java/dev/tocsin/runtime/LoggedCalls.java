package dev.tocsin.runtime;

import java.util.Locale;

/** Which calls get a line in the access log. */
public enum LoggedCalls {
  /** None. */
  OFF,
  /** Those that failed. */
  ERRORS,
  /** All. */
  ALL;

  /** The setting {@code name}, by default errors. Its fault is left to {@link Settings#check}. */
  public static LoggedCalls read(Settings settings, String name) {
    String text = settings.text(name, "errors");
    for (LoggedCalls which : values()) {
      if (which.name().equals(text.toUpperCase(Locale.ROOT))) {
        return which;
      }
    }
    settings.fault(name, "must be off, errors or all, not '" + text + "'");
    return ERRORS;
  }
}
