package dev.tocsin.ingest;

/** Why an alert is not on the log: in the metrics' label and the log's field. */
enum Refusal {
  /** The alert breaks its own rules. */
  INVALID("the alert is invalid"),
  /** The batch that it came in breaks its own rules. */
  INVALID_BATCH("the batch is invalid"),
  /** A fault of this program. */
  INTERNAL("internal error"),
  /** The log cannot be reached, or is not as it must be. */
  LOG_UNAVAILABLE("the log cannot be reached"),
  /** The rules are not read yet, under which it would be stamped. */
  RULES_UNKNOWN("the rules are not read yet"),
  /** As much is in flight as the process may hold. */
  FULL("the edge is full"),
  /** The process ends. */
  CLOSING("the edge is shutting down"),
  /** The log did not answer, or answered with an error: the alert may be on it or not. */
  LOG_FAILED("the log did not acknowledge: not known to be taken");

  private final String message;

  Refusal(String message) {
    this.message = message;
  }

  /** For people. */
  String message() {
    return message;
  }

  /** Whether sending the alert again as it is may help. */
  boolean passing() {
    return this != INVALID && this != INVALID_BATCH && this != INTERNAL;
  }
}
