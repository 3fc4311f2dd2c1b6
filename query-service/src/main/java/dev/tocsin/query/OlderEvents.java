package dev.tocsin.query;

import java.util.List;
import java.util.function.Consumer;

/** Where a stream gets events that are not kept in memory any more. Thread-safe. */
interface OlderEvents {
  /** What comes of a question. */
  sealed interface Answer {
    /**
     * Events, oldest first; perhaps none.
     *
     * @param next the offset behind them, and behind what is no event
     */
    record Found(List<EventItem> items, long next) implements Answer {}

    /** Events go on at this position. */
    record At(EventPosition position) implements Answer {}

    /** The topic does not hold that offset: not any more, or it never did. */
    record Gone() implements Answer {}

    /** Not now: too many wait, or Kafka does not answer. */
    record Away(String why) implements Answer {}
  }

  /**
   * Reads a chunk of a partition's events from {@code offset} on. Returns at once.
   *
   * @param answer told once, in any thread; must not wait
   */
  void read(int partition, long offset, Consumer<Answer> answer);

  /**
   * Finds where a partition's events go on for who was told another generation's: {@link
   * Answer.At}, {@link Answer.Gone} or {@link Answer.Away}. Returns at once.
   *
   * @param told its offset in the log and its sequence count, its offset among the events does not
   * @param answer told once, in any thread; must not wait
   */
  void find(int partition, EventPosition told, Consumer<Answer> answer);
}
