package dev.tocsin.engine;

import dev.tocsin.schemas.Alert;
import java.util.function.Function;

/** The fields of an alert that rules may name, and how to read them. */
final class AlertField {
  /** What keys may be made of. */
  static final String KEYS = "source, type, title, labels.NAME";

  /** What may be matched. */
  static final String MATCHED =
      "workspace, source, type, title, description, severity, labels.NAME";

  private static final String LABEL_PREFIX = "labels.";

  private AlertField() {}

  /**
   * One that may be part of a key; null if {@code name} is none. It reads null where the alert does
   * not have the label.
   */
  static Function<Alert, String> ofKey(String name) {
    if (name.startsWith(LABEL_PREFIX) && name.length() > LABEL_PREFIX.length()) {
      String label = name.substring(LABEL_PREFIX.length());
      return alert -> alert.getLabels().get(label);
    }
    return switch (name) {
      case "source" -> Alert::getSource;
      case "type" -> alert -> alert.getType().name();
      case "title" -> Alert::getTitle;
      default -> null;
    };
  }

  /**
   * One that may be matched; null if {@code name} is none. It reads an empty text where the alert
   * does not have the label.
   */
  static Function<Alert, String> ofMatcher(String name) {
    return switch (name) {
      case "workspace" -> Alert::getWorkspace;
      case "description" -> Alert::getDescription;
      case "severity" -> alert -> alert.getSeverity().name();
      default -> {
        Function<Alert, String> field = ofKey(name);
        yield field == null ? null : alert -> orEmpty(field.apply(alert));
      }
    };
  }

  private static String orEmpty(String value) {
    return value == null ? "" : value;
  }
}
