package dev.tocsin.processor;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.streams.StreamsConfig;

/**
 * What Kafka Streams is told. What the caller gives for every Kafka client comes first, so that
 * what the guarantees need stands.
 */
final class StreamsSettings {
  private static final int HEARTBEAT_MS_MAX = 3_000;

  /** Of a session: the group's coordinator must miss several before it gives an instance up. */
  private static final int HEARTBEATS = 5;

  /** Copies that are filled for the sake of balance, all at once; Kafka's own two take long. */
  private static final int WARM_UPS = 8;

  /** How soon a copy that is filled may become the owner's: the least that Streams takes. */
  private static final int PROBING_MS = 60_000;

  /**
   * Entries of a partition that are read ahead. Each may hold hundreds of alerts: Kafka's own
   * thousand would be most of a small heap, and what is behind them is a fetch away.
   */
  private static final int ENTRIES_AHEAD = 32;

  /**
   * What one fetch of the log brings: a buffer in the heap, and below what the collector of a heap
   * of 512 MiB calls a humongous object, of which each begins a marking of the whole heap.
   */
  private static final int FETCH_BYTES = 448 << 10;

  private static final int REQUEST_BYTES_MAX = 2 * LogTopics.MESSAGE_BYTES_MAX - (64 << 10);

  private StreamsSettings() {}

  /**
   * The settings.
   *
   * @param replicas of the log: the changelogs have as many
   */
  static Map<String, Object> of(ProcessorConfig config, int replicas, RocksMemory memory) {
    Map<String, Object> to = new HashMap<>(config.kafka());
    to.put(StreamsConfig.APPLICATION_ID_CONFIG, config.topics().applicationId());
    to.put(StreamsConfig.APPLICATION_SERVER_CONFIG, config.address());
    to.put(StreamsConfig.STATE_DIR_CONFIG, config.stateFolder().toString());
    to.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    to.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, config.commitInterval().toMillis());
    to.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, config.threads());
    to.put(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, config.standbys());
    to.put(StreamsConfig.MAX_WARMUP_REPLICAS_CONFIG, WARM_UPS);
    to.put(StreamsConfig.PROBING_REBALANCE_INTERVAL_MS_CONFIG, PROBING_MS);
    to.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, replicas);
    to.put(
        StreamsConfig.topicPrefix(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG),
        LogTopics.inSyncMin(replicas));
    to.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, ENTRIES_AHEAD);
    to.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0L);
    to.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, RocksMemory.Setter.class);
    to.put(RocksMemory.KEY, memory);
    consumer(to, config);
    to.put(
        StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG),
        transactionTimeoutMs(config));
    to.put(StreamsConfig.producerPrefix(ProducerConfig.MAX_REQUEST_SIZE_CONFIG), REQUEST_BYTES_MAX);
    to.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    to.put(StreamsConfig.topicPrefix(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG), "0.2");
    return to;
  }

  /**
   * Below the session's time-out: a dead instance's transaction, behind which its changelog cannot
   * be read, is gone when its partitions move, or soon after. Above a broker's usual pause: one
   * that is longer costs the instance its local state.
   */
  private static int transactionTimeoutMs(ProcessorConfig config) {
    return Math.toIntExact(config.sessionTimeout().toMillis() * 2 / 3);
  }

  private static void consumer(Map<String, Object> to, ProcessorConfig config) {
    // Falling off the retained log must be loud: no offset is ever made up.
    to.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "none");
    int sessionMs = Math.toIntExact(config.sessionTimeout().toMillis());
    to.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), sessionMs);
    to.put(
        StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG),
        Math.min(HEARTBEAT_MS_MAX, sessionMs / HEARTBEATS));
    to.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 2_000);
    to.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.FETCH_MAX_BYTES_CONFIG), FETCH_BYTES);
    config
        .instanceId()
        .ifPresent(
            id ->
                to.put(
                    StreamsConfig.mainConsumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), id));
  }
}
