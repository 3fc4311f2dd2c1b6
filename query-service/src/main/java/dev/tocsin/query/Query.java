package dev.tocsin.query;

import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.SchemaPublisher;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.WriterSchema;
import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;

/**
 * Reads incidents for callers: one by its id from the owner of its partition, lists from the owners
 * of all. Takes commands, by the log, and answers them with their outcome. Tells live what happens
 * to incidents. From a standby it reads, and says so, where the owner is away. It meets the
 * condition {@code owners} while every partition has an owner. That the log is away is no
 * condition, since reads go on without it: commands are UNAVAILABLE then, and the metric {@code
 * query.log.up} is 0. Nor is it whether the events can be followed: streams are UNAVAILABLE then.
 * Thread-safe.
 */
public final class Query implements AutoCloseable {
  /** A channel by itself would wait up to two minutes before it tries a lost owner again. */
  private static final Duration RECONNECT = Duration.ofSeconds(1);

  private final OwnerDirectory directory;
  private final CommandLog log;
  private final IncidentApi incidents;
  private final LiveStreams live;
  private final AdminReads admin;
  private final SilenceCalls silences;
  private final Lifetime lifetime = new Lifetime();

  /**
   * A query service that is yet to be started.
   *
   * @param channels opens a channel to the address of a state server; the channel is closed here
   * @param clock for the time at which commands are received
   */
  public Query(
      QueryConfig config,
      StreamConfig streams,
      MeterRegistry meters,
      Health health,
      Function<String, ManagedChannel> channels,
      Clock clock) {
    this(config, streams, meters, health, channels, clock, () -> producer(config.commands()));
  }

  /**
   * The same.
   *
   * @param producers makes a producer for the log
   */
  Query(
      QueryConfig config,
      StreamConfig streams,
      MeterRegistry meters,
      Health health,
      Function<String, ManagedChannel> channels,
      Clock clock,
      Supplier<Producer<byte[], byte[]>> producers) {
    QueryMetrics metrics = new QueryMetrics(meters);
    ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, Query::timerThread);
    timer.setRemoveOnCancelPolicy(true);
    lifetime.add(() -> stop(timer));
    OwnerChannels owners = lifetime.add(new OwnerChannels(channels));
    directory =
        lifetime.add(
            new OwnerDirectory(
                config.processors(),
                channels,
                timer,
                assignment -> owners.retain(assignment.addresses()),
                health));
    ScheduledFuture<?> unused =
        timer.scheduleWithFixedDelay(
            owners::reconnect, RECONNECT.toMillis(), RECONNECT.toMillis(), TimeUnit.MILLISECONDS);
    OwnerCalls calls = new OwnerCalls(directory, owners, timer, metrics);
    CommandConfig commands = config.commands();
    log =
        lifetime.add(
            new CommandLog(commands.topics().log(), producers, commands.commandsMax(), metrics));
    live =
        lifetime.add(
            new LiveStreams(
                streams, new OwnerSnapshots(directory, owners, metrics), timer, meters));
    incidents =
        new IncidentApi(
            new IncidentReads(config, directory, calls, metrics),
            new AlertReads(config, directory, calls),
            new IncidentCommands(
                config, new CommandReader(clock), directory, log, calls, timer, metrics),
            live.streams());
    admin = new AdminReads(config, directory, calls);
    silences = new SilenceCalls(config, new SilenceReader(clock), directory, log, calls);
  }

  /**
   * Begins to learn who owns what, and to connect to the log. Returns at once; until it is known
   * who owns what, calls are UNAVAILABLE.
   */
  public void start() {
    directory.start();
    log.start();
    live.start();
  }

  /** What it serves; none of it blocks. */
  public List<BindableService> services() {
    return List.of(incidents, silences, admin);
  }

  /**
   * Ends all streams, which would never end by themselves, and lets no more in: to be called before
   * the server that they come through waits for its calls to end.
   */
  public void endStreams() {
    live.streams().stop();
  }

  /** Ends the calls under way with an error and closes every channel. */
  @Override
  public void close() {
    lifetime.close();
  }

  /** Its entries every reader can read: their schema is published before it is made. */
  private static Producer<byte[], byte[]> producer(CommandConfig config) {
    WriterSchema schema = WriterSchema.of(LogEntry.class);
    SchemaPublisher.publish(config.kafka(), config.topics().schemas(), schema.key(), schema.json());
    return new KafkaProducer<>(config.producerConfig());
  }

  private static void stop(ScheduledThreadPoolExecutor timer) throws InterruptedException {
    timer.shutdown();
    timer.awaitTermination(1, TimeUnit.SECONDS);
  }

  private static Thread timerThread(Runnable task) {
    Thread thread = new Thread(task, "query-timer");
    thread.setDaemon(true);
    return thread;
  }
}
