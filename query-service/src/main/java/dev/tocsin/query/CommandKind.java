package dev.tocsin.query;

import java.util.Locale;

/** The commands that there are. */
enum CommandKind {
  CREATE,
  UPDATE,
  RESOLVE,
  MERGE,
  NOTE;

  /** As metrics and hashes have it. */
  String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
