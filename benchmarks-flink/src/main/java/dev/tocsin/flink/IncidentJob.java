package dev.tocsin.flink;

import java.nio.file.Path;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.state.rocksdb.RocksDBConfigurableOptions;
import org.apache.flink.state.rocksdb.RocksDBOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * {@code IncidentJob BOOTSTRAP GROUP TOPIC EVENTS FOLDER PARALLELISM CHECKPOINT_MS}: the
 * processor's job in Flink: alerts of a topic, one a record, deduplicated, counted, opened as
 * incidents, and what is new there told in another topic, exactly once. Runs until it is killed, in
 * this one process.
 *
 * <p>It is set up as one would who wants it to be fast:
 *
 * <ul>
 *   <li>State is in RocksDB, for it may be larger than the heap; checkpoints are incremental, to a
 *       local folder.
 *   <li>All types are POJOs and tuples, and a type that Kryo would have to write is an error.
 *   <li>Objects are not copied between functions of one task ({@code object-reuse}): none keeps
 *       what it was given.
 *   <li>RocksDB asks a Bloom filter before it looks for an alert that it has not: most are new. Its
 *       filters and indexes are in parts: whole, they are larger than a shard of the cache, and
 *       each look-up reads them from the disk.
 *   <li>A checkpoint that takes long does not make the next one begin at once.
 *   <li>No watermarks: nothing here waits for event time.
 *   <li>A failure ends the job: one that begins anew over and over would only look slow.
 * </ul>
 */
public final class IncidentJob {
  /** As much as our processor gives its RocksDB. */
  private static final MemorySize MANAGED = MemorySize.ofMebiBytes(128);

  /** Longer than any checkpoint takes, and less than the broker's own bound of 15 minutes. */
  private static final Duration TRANSACTION_MAX = Duration.ofMinutes(10);

  private final String bootstrap;
  private final String group;
  private final String topic;
  private final String events;

  IncidentJob(String bootstrap, String group, String topic, String events) {
    this.bootstrap = bootstrap;
    this.group = group;
    this.topic = topic;
    this.events = events;
  }

  public static void main(String[] args) throws Exception {
    Configuration settings =
        settings(Path.of(args[4]), Duration.ofMillis(Integer.parseInt(args[6])));
    IncidentJob job = new IncidentJob(args[0], args[1], args[2], args[3]);
    job.on(settings, Integer.parseInt(args[5])).execute("incidents");
  }

  /** How Flink is set up, with all that it writes in a folder. */
  static Configuration settings(Path folder, Duration checkpoints) {
    return new Configuration()
        .set(StateBackendOptions.STATE_BACKEND, "rocksdb")
        .set(RocksDBOptions.LOCAL_DIRECTORIES, folder.resolve("rocksdb").toString())
        .set(RocksDBConfigurableOptions.USE_BLOOM_FILTER, true)
        .set(RocksDBOptions.USE_PARTITIONED_INDEX_FILTERS, true)
        .set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MANAGED)
        .set(CheckpointingOptions.CHECKPOINTING_INTERVAL, checkpoints)
        .set(CheckpointingOptions.MIN_PAUSE_BETWEEN_CHECKPOINTS, checkpoints.dividedBy(2))
        .set(CheckpointingOptions.CHECKPOINTING_CONSISTENCY_MODE, CheckpointingMode.EXACTLY_ONCE)
        .set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true)
        .set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem")
        .set(
            CheckpointingOptions.CHECKPOINTS_DIRECTORY,
            folder.resolve("checkpoints").toUri().toString())
        .set(CoreOptions.TMP_DIRS, folder.resolve("tmp").toString())
        .set(PipelineOptions.OBJECT_REUSE, true)
        .set(PipelineOptions.GENERIC_TYPES, false)
        .set(PipelineOptions.AUTO_WATERMARK_INTERVAL, Duration.ZERO)
        .set(RestartStrategyOptions.RESTART_STRATEGY, "none");
  }

  /** The job, to be executed. */
  StreamExecutionEnvironment on(Configuration settings, int parallelism) {
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.createLocalEnvironment(parallelism, settings);
    incidents(env.fromSource(alerts(), WatermarkStrategy.noWatermarks(), "alerts").uid("alerts"))
        .sinkTo(changes())
        .name("events")
        .uid("events");
    return env;
  }

  /** What becomes of alerts. */
  static DataStream<IncidentChange> incidents(DataStream<Sighting> alerts) {
    return alerts
        .keyBy(
            alert -> Tuple3.of(alert.source, alert.alertId, alert.status),
            Types.TUPLE(Types.STRING, Types.STRING, Types.BYTE))
        .process(new Deduplication())
        .name("deduplication")
        .uid("deduplication")
        .keyBy(alert -> Tuple2.of(alert.groupHigh, alert.groupLow), IncidentCount.KEY_128)
        .process(new IncidentCount())
        .name("incidents")
        .uid("incidents");
  }

  private KafkaSource<Sighting> alerts() {
    return KafkaSource.<Sighting>builder()
        .setBootstrapServers(bootstrap)
        .setGroupId(group)
        .setTopics(topic)
        .setStartingOffsets(OffsetsInitializer.earliest())
        .setValueOnlyDeserializer(new AlertReader())
        .build();
  }

  private KafkaSink<IncidentChange> changes() {
    return KafkaSink.<IncidentChange>builder()
        .setBootstrapServers(bootstrap)
        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .setTransactionalIdPrefix(group)
        .setProperty(
            ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, Long.toString(TRANSACTION_MAX.toMillis()))
        .setRecordSerializer(new ChangeWriter(events))
        .build();
  }
}
