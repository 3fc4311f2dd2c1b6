package dev.tocsin.schemas;

import java.util.regex.Pattern;

/**
 * Names on the Kafka cluster. The log's own topics carry the prefix; what folds the log carries the
 * generation as well, so that a second generation can fold the same log beside the first.
 *
 * @param prefix of every name; letters, digits, dots, hyphens and underscores, at most 100
 * @param generation letters and digits, at most 20
 */
public record Topics(String prefix, String generation) {
  private static final Pattern PREFIX = Pattern.compile("[A-Za-z0-9._-]{1,100}");
  private static final Pattern GENERATION = Pattern.compile("[A-Za-z0-9]{1,20}");

  /** The names where nothing else is configured. */
  public static final Topics DEFAULT = new Topics("tocsin", "g1");

  public Topics {
    if (!PREFIX.matcher(prefix).matches()) {
      throw new IllegalArgumentException("prefix must match " + PREFIX + ", not '" + prefix + "'");
    }
    if (!GENERATION.matcher(generation).matches()) {
      throw new IllegalArgumentException(
          "generation must match " + GENERATION + ", not '" + generation + "'");
    }
  }

  /** The log: {@link LogEntry}, everything that can change an incident. */
  public String log() {
    return prefix + ".log";
  }

  /** Compacted: {@link Rules} by version. */
  public String rules() {
    return prefix + ".rules";
  }

  /** Compacted: writers' schemas by fingerprint. */
  public String schemas() {
    return prefix + ".schemas";
  }

  /** {@link DeadLetter}: entries that could not be applied. */
  public String deadLetters() {
    return prefix + ".dead-letters";
  }

  /** {@link IncidentEvent}, partitioned as the log is. */
  public String events() {
    return prefix + ".events." + generation;
  }

  /**
   * The Kafka Streams application that folds the log: its group, its changelogs, its state folder.
   */
  public String applicationId() {
    return prefix + "-processor-" + generation;
  }
}
