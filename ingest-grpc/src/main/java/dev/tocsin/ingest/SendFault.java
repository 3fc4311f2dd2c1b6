package dev.tocsin.ingest;

import java.util.List;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.UnsupportedForMessageFormatException;

/** What an error of the producer means: for the alerts that met it, and for the producer itself. */
enum SendFault {
  /** It passes by itself, and the producer goes on: brokers away, too few replicas, a time-out. */
  PASSING(false, Refusal.LOG_FAILED),
  /** The log does not take this one entry; the next one is another matter. */
  ENTRY(false, Refusal.LOG_REFUSES),
  /** This edge may not write here. A producer made later may. */
  DENIED(true, Refusal.LOG_REFUSES),
  /**
   * The producer is of no use any more: fenced, closed, in a state that it cannot leave, or in one
   * that this program does not know.
   */
  BROKEN(true, Refusal.LOG_FAILED);

  private static final List<Class<? extends Exception>> OF_THE_ENTRY =
      List.of(
          RecordTooLargeException.class,
          RecordBatchTooLargeException.class,
          InvalidRecordException.class,
          InvalidTimestampException.class,
          PolicyViolationException.class,
          SerializationException.class,
          UnsupportedForMessageFormatException.class);

  private final boolean replaces;
  private final Refusal refusal;

  SendFault(boolean replaces, Refusal refusal) {
    this.replaces = replaces;
    this.refusal = refusal;
  }

  static SendFault of(Exception error) {
    if (error instanceof RetriableException) {
      return PASSING;
    }
    if (error instanceof AuthorizationException || error instanceof AuthenticationException) {
      return DENIED;
    }
    return OF_THE_ENTRY.stream().anyMatch(kind -> kind.isInstance(error)) ? ENTRY : BROKEN;
  }

  /** Whether the producer that met it is to be closed, and another one made. */
  boolean replaces() {
    return replaces;
  }

  /** What the alerts that met it are told. */
  Refusal refusal() {
    return refusal;
  }
}
