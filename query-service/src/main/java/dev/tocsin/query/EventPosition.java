package dev.tocsin.query;

/**
 * How far one partition's events have been told.
 *
 * @param next the first offset, of the events topic, that was not looked at
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

  /** The same, but for the offset. */
  EventPosition past(long offset) {
    return new EventPosition(offset + 1, logOffset, sequence);
  }
}
