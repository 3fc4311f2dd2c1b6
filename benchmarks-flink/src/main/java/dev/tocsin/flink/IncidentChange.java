package dev.tocsin.flink;

/** What subscribers are told: an incident has opened, or a condition has joined it. */
public final class IncidentChange {
  /** The incident is new, and not the condition alone. */
  public boolean opened;

  public String incident;
  public byte severity;
  public long firstSeenMs;
  public long lastSeenMs;
  public long occurrences;
  public long fingerprintHigh;
  public long fingerprintLow;
}
