package dev.tocsin.flink;

/** The open incident of a group, as its state has it. */
public final class OpenIncident {
  public String id;

  /** The worst so far. */
  public byte severity;

  public long firstSeenMs;
  public long lastSeenMs;
  public long occurrences;
}
