package dev.tocsin.access;

import java.util.Locale;
import java.util.Optional;

/** What a caller may do. A token names roles in lower case. */
public enum Role {
  /** Sends alerts. */
  PRODUCER,
  /** Reads incidents and follows them. */
  VIEWER,
  /** Changes incidents; a viewer as well. */
  RESPONDER,
  /** Changes rules and looks inside; a responder as well. */
  OPERATOR;

  /** Whether who has this role may do what {@code needed} is asked for. */
  public boolean covers(Role needed) {
    return this == needed || (this != PRODUCER && needed != PRODUCER && compareTo(needed) > 0);
  }

  /** The role of this name; empty for a name that is none, which a token may well hold. */
  static Optional<Role> named(String name) {
    try {
      return Optional.of(valueOf(name.toUpperCase(Locale.ROOT)));
    } catch (IllegalArgumentException unknown) {
      return Optional.empty();
    }
  }

  /** As tokens name it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
