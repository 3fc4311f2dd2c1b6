package dev.tocsin.flink;

/**
 * What the job needs of an alert, and nothing else goes from task to task. A POJO as Flink knows
 * them: its serializer writes the fields one by one, without names. Keys of 128 bits are two longs,
 * which costs less than a text and, other than an array, can be a key.
 */
public final class Sighting {
  public String source;
  public String alertId;
  public byte status;
  public long fingerprintHigh;
  public long fingerprintLow;
  public long groupHigh;
  public long groupLow;

  /** From 1, the worst, on. */
  public byte severity;

  public long seenMs;
}
