package dev.tocsin.chaos;

import dev.tocsin.proto.alerts.Position;

/**
 * One thing that was sent about a group, and what became of it.
 *
 * @param condition which of its group's, from 0; without meaning for commands
 * @param id the alert id, or the request id
 * @param firedAtMs the source's clock, which never goes back within a group
 * @param position where its ack says that it is on the log; null unless it is an acknowledged alert
 */
record Step(
    Kind kind, int condition, String id, long firedAtMs, Outcome outcome, Position position) {
  /** What is sent. */
  enum Kind {
    FIRING,
    RESOLVED,
    /** An alert that must be refused. */
    FAULTY,
    /** Commands on the group's newest incident: a note, and changes of its state. */
    NOTE,
    TRIAGE,
    INVESTIGATE,
    RESOLVE,
    /** The newest incident is over as a part of one that is no group's. */
    MERGE,
    /** A question what became of the group's last alert. */
    EXPLAIN;

    boolean isAlert() {
      return this == FIRING || this == RESOLVED || this == FAULTY;
    }
  }

  /** What is known of it. */
  enum Outcome {
    /** Not known yet: it is sent until it is. */
    OPEN,
    /** Acknowledged: it counts, once. */
    DONE,
    /** Refused: it does not count. */
    REFUSED,
    /** Never to be known, and not sent again: it may count, once. */
    UNKNOWN
  }

  Step(Kind kind, int condition, String id, long firedAtMs) {
    this(kind, condition, id, firedAtMs, Outcome.OPEN, null);
  }

  /** Acknowledged; an alert at this position. */
  Step done(Position at) {
    return new Step(kind, condition, id, firedAtMs, Outcome.DONE, at);
  }

  Step refused() {
    return new Step(kind, condition, id, firedAtMs, Outcome.REFUSED, null);
  }

  Step unknown() {
    return new Step(kind, condition, id, firedAtMs, Outcome.UNKNOWN, null);
  }
}
