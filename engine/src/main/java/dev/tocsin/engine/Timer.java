package dev.tocsin.engine;

import dev.tocsin.schemas.Key128;
import java.util.Arrays;

/**
 * Something that time alone brings about. Timers are settled in the order of due time, then kind,
 * then key. A timer is a reminder, not an order: when it is due, the state that it is about says
 * what, if anything, is to be done.
 *
 * @param dueMs fold time
 * @param about what, by its key
 */
public record Timer(long dueMs, Kind kind, Key128 about) implements Comparable<Timer> {
  /** What a timer is about. The order is part of the fold. */
  public enum Kind {
    /**
     * A condition: it may have been silent for too long, its end may have come, or it may be
     * forgotten.
     */
    CONDITION(0),
    /** An incident: it may be closed, or leave the stores. */
    INCIDENT(1),
    /** An incident's tally: it may have to be published. */
    TALLY(2),
    /** An outcome of a command: it may be forgotten. */
    OUTCOME(3),
    /** A flapping incident: it may have become steady. */
    FLAPPING(4),
    /** A silence: it may begin, end, be walked for further, or be forgotten. */
    SILENCE(5),
    /** What one set of equal values inhibits: a source of it has come or gone. */
    INHIBITION(6);

    private final byte code;

    Kind(int code) {
      this.code = (byte) code;
    }

    /** One byte that orders as the kinds do, for keys. */
    public byte code() {
      return code;
    }

    /** The kind of that code. */
    public static Kind of(byte code) {
      return switch (code) {
        case 0 -> CONDITION;
        case 1 -> INCIDENT;
        case 2 -> TALLY;
        case 3 -> OUTCOME;
        case 4 -> FLAPPING;
        case 5 -> SILENCE;
        case 6 -> INHIBITION;
        default -> throw new IllegalArgumentException("no kind of timer has the code " + code);
      };
    }
  }

  @Override
  public int compareTo(Timer other) {
    int order = Long.compare(dueMs, other.dueMs);
    if (order == 0) {
      order = kind.compareTo(other.kind);
    }
    return order != 0 ? order : Arrays.compareUnsigned(about.bytes(), other.about.bytes());
  }
}
