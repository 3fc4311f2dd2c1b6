package dev.tocsin.processor;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The consumer by which a stream thread reads the log. An entry that has to wait ({@link
 * EntryGate}) never reaches the thread: its partition is set back to it and fetched no further,
 * exactly as a partition is whose task has enough to do, until something was learned. So the
 * thread's other partitions go on, nothing is kept in memory, no offset runs ahead, and whoever
 * takes the partition over stops at the same entry.
 *
 * <p>Of one thread, as any consumer.
 */
final class PausingConsumer extends KafkaConsumer<byte[], byte[]> {
  private final EntryGate gate;
  private final Pauses pauses;
  private final Set<TopicPartition> held = new HashSet<>();

  /** Those that the stream thread itself has paused. */
  private final Set<TopicPartition> full = new HashSet<>();

  private int learned;

  PausingConsumer(Map<String, Object> settings, EntryGate gate, Pauses pauses) {
    super(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    this.gate = gate;
    this.pauses = pauses;
    this.learned = gate.learned();
  }

  @Override
  public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
    int now = gate.learned(); // before the entries are looked at, so that nothing learned is missed
    if (now != learned) {
      learned = now;
      List.copyOf(held).forEach(this::tryAgain);
    }
    return ready(super.poll(timeout));
  }

  /** What was polled, without the entries that have to wait and all behind them. */
  private ConsumerRecords<byte[], byte[]> ready(ConsumerRecords<byte[], byte[]> polled) {
    Map<TopicPartition, Integer> cuts = new HashMap<>();
    for (TopicPartition partition : polled.partitions()) {
      int cut = hold(partition, polled.records(partition));
      if (cut >= 0) {
        cuts.put(partition, cut);
      }
    }
    return cuts.isEmpty() ? polled : cut(polled, cuts);
  }

  /** Holds the partition at its first entry that has to wait, and gives its index; -1 for none. */
  private int hold(TopicPartition partition, List<ConsumerRecord<byte[], byte[]>> entries) {
    for (int i = 0; i < entries.size(); i++) {
      ConsumerRecord<byte[], byte[]> entry = entries.get(i);
      Optional<Pause> pause = gate.holds(entry.partition(), entry.offset(), entry.value());
      if (pause.isPresent()) {
        super.seek(partition, entry.offset());
        super.pause(List.of(partition));
        held.add(partition);
        pauses.begin(pause.get());
        return i;
      }
    }
    pauses.end(partition.partition()); // it may have waited until now
    return -1;
  }

  private static ConsumerRecords<byte[], byte[]> cut(
      ConsumerRecords<byte[], byte[]> polled, Map<TopicPartition, Integer> cuts) {
    Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records = new HashMap<>();
    Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>(polled.nextOffsets());
    for (TopicPartition partition : polled.partitions()) {
      List<ConsumerRecord<byte[], byte[]>> all = polled.records(partition);
      int end = cuts.getOrDefault(partition, all.size());
      if (end < all.size()) {
        ConsumerRecord<byte[], byte[]> first = all.get(end);
        next.put(partition, new OffsetAndMetadata(first.offset(), first.leaderEpoch(), ""));
      }
      if (end > 0) {
        records.put(partition, new ArrayList<>(all.subList(0, end)));
      }
    }
    return new ConsumerRecords<>(records, next);
  }

  /** Fetches the entry anew; if it still has to wait, the pause goes on. */
  private void tryAgain(TopicPartition partition) {
    held.remove(partition);
    if (assignment().contains(partition) && !full.contains(partition)) {
      super.resume(List.of(partition));
    }
  }

  private void forget(Collection<TopicPartition> partitions) {
    full.removeAll(partitions);
    for (TopicPartition partition : partitions) {
      if (held.remove(partition)) {
        pauses.end(partition.partition());
      }
    }
  }

  /** Streams goes back to what it committed: what is held is met again on the way. */
  @Override
  public void seek(TopicPartition partition, OffsetAndMetadata to) {
    tryAgain(partition);
    super.seek(partition, to);
  }

  @Override
  public void seek(TopicPartition partition, long to) {
    tryAgain(partition);
    super.seek(partition, to);
  }

  @Override
  public void pause(Collection<TopicPartition> partitions) {
    full.addAll(partitions);
    super.pause(partitions);
  }

  @Override
  public void resume(Collection<TopicPartition> partitions) {
    full.removeAll(partitions);
    super.resume(partitions.stream().filter(each -> !held.contains(each)).toList());
  }

  @Override
  public void subscribe(Collection<String> topics, ConsumerRebalanceListener listener) {
    super.subscribe(topics, new Forgetting(listener));
  }

  @Override
  public void subscribe(Pattern topics, ConsumerRebalanceListener listener) {
    super.subscribe(topics, new Forgetting(listener));
  }

  @Override
  public void close(CloseOptions options) {
    forget(List.copyOf(held));
    super.close(options);
  }

  /** A partition that comes or goes is neither paused nor held: it begins anew where it is. */
  private final class Forgetting implements ConsumerRebalanceListener {
    private final ConsumerRebalanceListener then;

    Forgetting(ConsumerRebalanceListener then) {
      this.then = then;
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      forget(partitions);
      then.onPartitionsAssigned(partitions);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      forget(partitions);
      then.onPartitionsRevoked(partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      forget(partitions);
      then.onPartitionsLost(partitions);
    }
  }
}
