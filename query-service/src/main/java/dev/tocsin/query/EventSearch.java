package dev.tocsin.query;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Finds where a partition's events go on for who was told another generation's, by the log: a
 * partition's events are in the order of the entries that they came from. A binary search over the
 * offsets of the topic, which not all are events.
 */
final class EventSearch {
  private static final Duration POLL = Duration.ofMillis(200);

  private final Consumer<byte[], byte[]> consumer;
  private final TopicPartition partition;
  private final EventPosition told;
  private final long deadlineNanos;

  /** The consumer is assigned this partition. */
  EventSearch(
      Consumer<byte[], byte[]> consumer,
      TopicPartition partition,
      EventPosition told,
      Duration timeMax) {
    this.consumer = consumer;
    this.partition = partition;
    this.told = told;
    this.deadlineNanos = System.nanoTime() + timeMax.toNanos();
  }

  /**
   * Where to go on; Gone if events may be missing before that.
   *
   * @param begin of the topic
   * @param end of the topic
   * @throws TimeoutException if it takes too long
   */
  OlderEvents.Answer find(long begin, long end) {
    long low = begin;
    long high = end;
    while (low < high) {
      long middle = (low + high) >>> 1;
      Optional<EventItem> first = first(middle, high);
      if (first.isEmpty() || logOffset(first.get()) >= told.logOffset()) {
        high = middle;
      } else {
        low = first.get().offset() + 1;
      }
    }
    boolean whole = low > begin; // an event of an earlier entry is kept, so all that follow are
    List<EventItem> items = CatchUpReaders.chunk(consumer, partition, low, end).items();
    return position(told, low, whole, items)
        .<OlderEvents.Answer>map(OlderEvents.Answer.At::new)
        .orElseGet(OlderEvents.Answer.Gone::new);
  }

  /**
   * The position for {@code items}, the first of which are of the entry that the last change told
   * came from: behind that change, if this generation has that very one under the same number, as
   * it has if it folded the same; else at the first of them, and what the entry brought comes
   * again. Empty if events may be missing.
   *
   * @param at the offset from which on these are all
   * @param whole whether none can be missing before that
   */
  static Optional<EventPosition> position(
      EventPosition told, long at, boolean whole, List<EventItem> items) {
    for (EventItem item : items) {
      Optional<LiveEvent> event = item.event();
      if (event.isPresent()
          && event.get().logOffset() == told.logOffset()
          && event.get().sequence() == told.sequence()) {
        return Optional.of(new EventPosition(item.offset() + 1, told.logOffset(), told.sequence()));
      }
    }
    boolean sinceEver =
        items.isEmpty()
            ? at == 0
            : items.get(0).event().filter(event -> event.sequence() == 1).isPresent();
    return whole || sinceEver
        ? Optional.of(new EventPosition(at, told.logOffset(), EventPosition.NONE))
        : Optional.empty();
  }

  /** The first event from {@code from} on; empty if there is none before {@code to}. */
  private Optional<EventItem> first(long from, long to) {
    consumer.seek(partition, from);
    while (consumer.position(partition) < to) {
      if (System.nanoTime() - deadlineNanos > 0) {
        throw new TimeoutException("where the events go on");
      }
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        EventItem item = EventItem.of(record);
        if (item.offset() >= to) {
          return Optional.empty();
        }
        if (item.event().isPresent()) {
          return Optional.of(item);
        }
      }
    }
    return Optional.empty();
  }

  private static long logOffset(EventItem item) {
    return item.event().orElseThrow().logOffset();
  }
}
