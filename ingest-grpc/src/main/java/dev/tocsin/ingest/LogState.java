package dev.tocsin.ingest;

/**
 * What is known of the log.
 *
 * @param partitions how many it has; 0 while it cannot be appended to
 * @param refusal what alerts are told then; null if it can
 */
record LogState(int partitions, Refusal refusal) {
  static LogState open(int partitions) {
    return new LogState(partitions, null);
  }

  static LogState away(Refusal refusal) {
    return new LogState(0, refusal);
  }

  /** Whether nothing but an operator will change it, so that it is not even to be tried. */
  boolean refuses() {
    return refusal == Refusal.LOG_REFUSES;
  }
}
