package dev.tocsin.ingest;

import dev.tocsin.proto.alerts.AlertAck;
import java.time.Duration;

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
  /** The log is gone, or takes nothing of what this edge sends: only its operator can mend that. */
  LOG_REFUSES("the log takes nothing from this edge until its operator acts"),
  /** The rules are not read yet, under which it would be stamped. */
  RULES_UNKNOWN("the rules are not read yet"),
  /** As much is in flight as the process may hold at all. */
  FULL("the edge is full"),
  /** What room is left is kept for alerts that are worth more. */
  SHED("the edge is nearly full, and keeps the rest for worse alerts"),
  /** Its caller, or all of them together, sent more than their quota. */
  RATE_LIMITED("over the quota of alerts"),
  /** The process ends. */
  CLOSING("the edge is shutting down"),
  /** The log did not answer, or answered with an error: the alert may be on it or not. */
  LOG_FAILED("the log did not acknowledge: not known to be taken");

  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
  private static final Duration RETRY_AFTER_LONG = Duration.ofSeconds(10);

  private final String message;

  Refusal(String message) {
    this.message = message;
  }

  /** For people. */
  String message() {
    return message;
  }

  /** What the ack says. */
  AlertAck.Status status() {
    return switch (this) {
      case INVALID, INVALID_BATCH, INTERNAL -> AlertAck.Status.REJECTED;
      case RATE_LIMITED -> AlertAck.Status.RATE_LIMITED;
      case LOG_UNAVAILABLE, LOG_REFUSES, RULES_UNKNOWN, FULL, SHED, CLOSING, LOG_FAILED ->
          AlertAck.Status.UNAVAILABLE;
    };
  }

  /** How long to wait before sending the alert again; of a quota the quota says it. */
  Duration retryAfter() {
    return this == LOG_REFUSES ? RETRY_AFTER_LONG : RETRY_AFTER;
  }

  /** Whether sending the alert again as it is may help. */
  boolean passing() {
    return status() != AlertAck.Status.REJECTED;
  }
}
