package dev.tocsin.query;

/**
 * How far one partition's events have been told.
 *
 * @param next the first offset, of the events topic, that was not looked at; {@link #NONE} where it
 *     is yet to be found, by {@code logOffset}, because another generation's events were told
 * @param logOffset of the last change told, in the log; {@link #NONE} if none was
 * @param sequence of the last change told; {@link #NONE} where it is not known, and the next is
 *     taken as it comes
 */
record EventPosition(long next, long logOffset, long sequence) {
  static final long NONE = -1;

  /** A position behind which nothing has been told. */
  static EventPosition at(long next) {
    return new EventPosition(next, NONE, NONE);
  }

  /** The same among the events of another generation, where it is yet to be found. */
  EventPosition unplaced() {
    return new EventPosition(NONE, logOffset, sequence);
  }

  /**
   * Whether this event has been told, or contained in what was told. Where its number says nothing,
   * its place in the log does; what came from the same entry may not have been told yet.
   */
  boolean contains(LiveEvent event) {
    return sequence == NONE ? event.logOffset() < logOffset : event.sequence() <= sequence;
  }

  /** The same, but for the offset. */
  EventPosition past(long offset) {
    return new EventPosition(offset + 1, logOffset, sequence);
  }
}
