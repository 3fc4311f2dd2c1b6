package dev.tocsin.processor;

/**
 * A partition of the log stands still before an entry that this software cannot apply yet.
 *
 * @param offset of that entry
 * @param why in words for an operator: what is missing and what ends the pause
 */
record Pause(int partition, long offset, Reason reason, String why) {
  /** What the entry waits for. */
  enum Reason {
    /** The schema that it was written with. */
    UNKNOWN_SCHEMA,
    /** Software with a newer engine. */
    NEWER_ENGINE
  }

  @Override
  public String toString() {
    return "partition %d is paused at offset %d: %s".formatted(partition, offset, why);
  }
}
