package dev.tocsin.processor;

import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.SchemaPublisher;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.DeadLetter;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.WriterSchema;
import io.grpc.BindableService;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KafkaStreams.State;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;

/**
 * Folds the log into incidents and answers for the partitions that it owns. The topics are there
 * before it starts ({@link LogTopics}).
 */
public final class Processor implements AutoCloseable {
  /** Met while every partition that is owned is caught up, and none is paused. */
  static final String CONDITION = "incidents";

  private static final Duration CLOSE_MAX = Duration.ofSeconds(20);
  private static final int REPLY_THREADS = 4;
  private static final int SNAPSHOT_THREADS = 2;

  /** A snapshot keeps what has been replaced since from being dropped: for so long at most. */
  private static final Duration SNAPSHOT_MAX = Duration.ofSeconds(60);

  private static final Duration HEALTH_POLL = Duration.ofMillis(100);

  private final ProcessorConfig config;
  private final MeterRegistry meters;
  private final Health health;
  private final Clock clock;
  private final Lifetime lifetime = new Lifetime();
  private volatile String givenUp;
  private volatile boolean closing;
  private final Pauses pauses;
  private final StateCodecs codecs = new StateCodecs();
  private KafkaStreams streams;
  private PartitionViews views;
  private StateService service;

  /** A processor that is yet to be started. */
  public Processor(ProcessorConfig config, MeterRegistry meters, Health health, Clock clock) {
    this.config = config;
    this.meters = meters;
    this.health = health;
    this.clock = clock;
    this.pauses = new Pauses(meters);
    health.require(CONDITION);
  }

  /**
   * Starts folding. It serves once it has caught up: see {@link Health}.
   *
   * @throws IllegalStateException if the log has lost its beginning
   * @throws org.apache.kafka.common.KafkaException if the cluster does not answer
   */
  public void start() throws InterruptedException {
    try {
      open();
    } catch (InterruptedException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /** The internal API for query-services. May block, so it wants a pool. Once started. */
  public BindableService stateService() {
    return service;
  }

  /** Whether it has stopped by itself, since its threads kept dying. */
  public boolean failed() {
    return givenUp != null;
  }

  @Override
  public void close() {
    closing = true;
    health.unmet(CONDITION, "stopping");
    lifetime.close();
  }

  private void open() throws InterruptedException {
    String log = config.topics().log();
    Admin admin = lifetime.add(Admin.create(new HashMap<>(config.kafka())));
    FirstOffsets.Shape shape = FirstOffsets.ensure(admin, log, config.topics().applicationId());
    ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(2, Processor::daemon);
    timer.setRemoveOnCancelPolicy(true); // else each wait that ended stays until its deadline
    lifetime.add(timer::shutdownNow);
    LogEnds logEnds = new LogEnds(admin, log);
    ExecutorService replies = Executors.newFixedThreadPool(REPLY_THREADS, Processor::daemon);
    lifetime.add(replies::shutdownNow);
    views = new PartitionViews(logEnds::end, timer, replies, config.waitersMax());
    Codec<LogEntry> entries = Codec.of(LogEntry.class);
    EntryGate gate = new EntryGate(entries, config.skips());
    follow(gate);
    Ticks ticks = lifetime.add(new Ticks(log, config.kafka(), clock));
    CommandCounts counts = new CommandCounts(meters);
    RocksMemory rocks = lifetime.add(new RocksMemory(config.rocksBytesMax()));
    StoreMemory memory = StoreMemory.of(config);
    Topology topology =
        FoldTopology.build(
            config.topics(),
            () ->
                new FoldProcessor(
                    config, entries, gate, pauses, views, ticks, counts, codecs, memory, clock));
    Properties settings = new Properties();
    settings.putAll(StreamsSettings.of(config, shape.replicas(), rocks));
    streams =
        new KafkaStreams(topology, new StreamsConfig(settings), new PausingClients(gate, pauses));
    lifetime.add(this::closeStreams);
    streams.setUncaughtExceptionHandler(new ThreadFailures(clock, why -> givenUp = why));
    OwnerFeed owners =
        lifetime.add(
            new OwnerFeed(shape.partitions(), log, streams::metadataForAllStreamsClients, timer));
    SnapshotCalls snapshots =
        new SnapshotCalls(config.snapshotsMax(), SNAPSHOT_MAX, snapshotThreads(), timer);
    Gauge.builder("tocsin.processor.snapshots", snapshots, SnapshotCalls::open)
        .description("Snapshots of partitions that are being sent")
        .register(meters);
    Standbys standbys = standbys(admin, logEnds, replies);
    PositionWait positions = new PositionWait(logEnds::end, timer);
    EntryReader reader = lifetime.add(new EntryReader(log, EntryReader.consumers(config.kafka())));
    service = new StateService(views, owners, positions, standbys, snapshots, reader, entries);
    streams.start();
    ScheduledFuture<?> unused =
        timer.scheduleWithFixedDelay(
            this::reportHealth, 0, HEALTH_POLL.toMillis(), TimeUnit.MILLISECONDS);
    Gauge.builder("tocsin.processor.partitions", views, owned -> owned.owned().size())
        .description("Partitions of the log that this instance owns")
        .register(meters);
    Gauge.builder("tocsin.processor.timers.behind", views, PartitionViews::timersBehindSeconds)
        .description("For how long something has been due that is not settled yet")
        .baseUnit("seconds")
        .register(meters);
  }

  /** Their own, so that nobody who waits for a command or a position waits for a snapshot. */
  private ExecutorService snapshotThreads() {
    ExecutorService threads = Executors.newFixedThreadPool(SNAPSHOT_THREADS, Processor::daemon);
    lifetime.add(threads::shutdownNow);
    return threads;
  }

  /** What others have published is known before any of it is met; so is what is written here. */
  private void follow(EntryGate gate) {
    String topic = config.topics().schemas();
    SchemaPublisher.publish(config.kafka(), topic, written());
    SchemaFollower follower = new SchemaFollower(topic, config.kafka(), gate, codecs, meters);
    lifetime.add(follower);
    follower.start();
  }

  /** Ticks, events, dead letters, and what stores and their changelogs hold. */
  private static List<WriterSchema> written() {
    List<Class<? extends SpecificRecordBase>> types = new ArrayList<>(StateCodecs.WRITTEN);
    types.addAll(List.of(LogEntry.class, IncidentEvent.class, DeadLetter.class));
    return types.stream().map(WriterSchema::of).toList();
  }

  private Standbys standbys(Admin admin, LogEnds logEnds, ExecutorService reads) {
    GroupOffsets offsets =
        new GroupOffsets(admin, config.topics().applicationId(), config.topics().log());
    Standbys standbys =
        new Standbys(this::copy, offsets::committed, logEnds::end, reads, codecs, clock);
    views.watch(standbys::owned, standbys::lost);
    streams.setStandbyUpdateListener(standbys);
    streams.setGlobalStateRestoreListener(standbys);
    return standbys;
  }

  private ReadOnlyKeyValueStore<Bytes, byte[]> copy(int partition) {
    return streams.store(
        StoreQueryParameters.<ReadOnlyKeyValueStore<Bytes, byte[]>>fromNameAndType(
                FoldTopology.STATE_STORE, QueryableStoreTypes.keyValueStore())
            .enableStaleStores()
            .withPartition(partition));
  }

  private void closeStreams() {
    // Who comes back under its name finds its partitions; anyone else's go to the others at once.
    GroupMembershipOperation operation =
        config.instanceId().isPresent()
            ? GroupMembershipOperation.REMAIN_IN_GROUP
            : GroupMembershipOperation.LEAVE_GROUP;
    streams.close(CloseOptions.timeout(CLOSE_MAX).withGroupMembershipOperation(operation));
  }

  private void reportHealth() {
    State state = streams.state();
    String stopped = closing ? "stopping" : givenUp;
    Optional<String> paused = pauses.problem();
    long behind = views.owned().stream().filter(view -> !view.caughtUp()).count();
    if (stopped != null) {
      health.unmet(CONDITION, stopped);
    } else if (state != State.RUNNING) {
      health.unmet(CONDITION, "the fold is " + state);
    } else if (paused.isPresent()) {
      health.unmet(CONDITION, paused.get());
    } else if (behind > 0) {
      health.unmet(CONDITION, behind + " partitions are not caught up with the log");
    } else {
      health.met(CONDITION);
    }
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "processor");
    thread.setDaemon(true);
    return thread;
  }
}
