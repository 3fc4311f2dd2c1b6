package dev.tocsin.processor;

import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Partitions;
import dev.tocsin.schemas.Topics;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The topology: the log, the fold with its store, and what comes of it. */
final class FoldTopology {
  static final String LOG = "log";
  static final String FOLD = "fold";
  static final String EVENTS = "events";
  static final String DEAD_LETTERS = "dead-letters";
  static final String STATE_STORE = "state";
  static final String COMMIT_HOOK = "commit-hook";

  private static final Map<String, String> CHANGELOG =
      Map.of("max.message.bytes", Integer.toString(LogTopics.MESSAGE_BYTES_MAX));

  private FoldTopology() {}

  static Topology build(Topics topics, ProcessorSupplier<byte[], byte[], byte[], byte[]> fold) {
    ByteArrayDeserializer read = new ByteArrayDeserializer();
    ByteArraySerializer write = new ByteArraySerializer();
    return new Topology()
        .addSource(AutoOffsetReset.none(), LOG, new LogTime(), read, read, topics.log())
        .addProcessor(FOLD, fold, LOG)
        .addStateStore(state(), FOLD)
        .addStateStore(CommitHook.builder(COMMIT_HOOK), FOLD)
        .addSink(EVENTS, topics.events(), write, write, FoldTopology::partitionOfEvent, FOLD)
        .addSink(DEAD_LETTERS, topics.deadLetters(), write, write, FOLD);
  }

  private static StoreBuilder<KeyValueStore<Bytes, byte[]>> state() {
    return Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore(STATE_STORE), Serdes.Bytes(), Serdes.ByteArray())
        .withCachingDisabled()
        .withLoggingEnabled(CHANGELOG);
  }

  /** An event's partition is its log partition: the id, which is its key, tells it. */
  private static Optional<Set<Integer>> partitionOfEvent(
      String topic, byte[] id, byte[] event, int partitions) {
    return Optional.of(Set.of(Partitions.of(IncidentId.route(new Key128(id)), partitions)));
  }

  /**
   * The broker's append time. One that is damaged counts as the beginning of time, which never
   * moves fold time.
   */
  private static final class LogTime implements TimestampExtractor {
    @Override
    public long extract(ConsumerRecord<Object, Object> entry, long partitionTime) {
      return Math.max(0, entry.timestamp());
    }
  }
}
