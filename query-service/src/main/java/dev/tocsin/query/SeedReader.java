package dev.tocsin.query;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads the newest events of partitions for rings to begin with: those in the last {@link #OFFSETS}
 * offsets, within a weight. Where there is none, it goes back further until there is one or the
 * topic begins, since a snapshot is judged by the newest event.
 */
final class SeedReader {
  /** How far before its end a partition is read; not every offset is an event. */
  static final int OFFSETS = 2_048;

  /** How many times as far it goes back where there was no event. */
  private static final int FURTHER = 8;

  private static final Duration POLL = Duration.ofMillis(500);

  private final Consumer<byte[], byte[]> consumer;
  private final long weightMax;
  private final Map<Integer, Reach> reaches = new TreeMap<>();

  private SeedReader(Consumer<byte[], byte[]> consumer, long weightMax) {
    this.consumer = consumer;
    this.weightMax = weightMax;
  }

  /**
   * Reads {@code partitions}, which are assigned to {@code consumer} and no others. Afterwards the
   * consumer stands at the end of each seed.
   *
   * @param weightMax of each partition's items
   */
  static List<EventSeed> read(
      Consumer<byte[], byte[]> consumer, List<TopicPartition> partitions, long weightMax) {
    return new SeedReader(consumer, weightMax).read(partitions);
  }

  private List<EventSeed> read(List<TopicPartition> partitions) {
    Map<TopicPartition, Long> first = consumer.beginningOffsets(partitions);
    Map<TopicPartition, Long> end = consumer.endOffsets(partitions);
    for (TopicPartition each : partitions) {
      reaches.put(each.partition(), new Reach(each, first.get(each), end.get(each)));
    }
    while (!reaches.values().stream().allMatch(Reach::done)) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        reaches.get(record.partition()).add(EventItem.of(record));
      }
    }
    return reaches.values().stream().map(Reach::seed).toList();
  }

  /** How far back one partition is read, and what was found. */
  private final class Reach {
    private final TopicPartition partition;
    private final long first;
    private final long end;
    private final Deque<EventItem> items = new ArrayDeque<>();
    private long offsets = OFFSETS;
    private long begin;
    private long weight;
    private EventItem newest;

    Reach(TopicPartition partition, long first, long end) {
      this.partition = partition;
      this.first = first;
      this.end = end;
      seek();
    }

    private void seek() {
      begin = Math.max(first, end - offsets);
      consumer.seek(partition, begin);
    }

    void add(EventItem item) {
      items.add(item);
      newest = item;
      weight += item.weight();
      while (weight > weightMax) {
        EventItem oldest = items.remove();
        weight -= oldest.weight();
        begin = oldest.offset() + 1;
      }
    }

    boolean done() {
      if (consumer.position(partition) < end) {
        return false;
      }
      if (newest != null || begin == first) {
        return true;
      }
      offsets *= FURTHER;
      seek();
      return false;
    }

    EventSeed seed() {
      return new EventSeed(
          partition.partition(),
          begin,
          new ArrayList<>(items),
          consumer.position(partition),
          newest);
    }
  }
}
