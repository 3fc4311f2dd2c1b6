package dev.tocsin.query;

import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/**
 * Reads incidents for callers: one by its id from the owner of its partition, lists from the owners
 * of all; and tells them live what happens to incidents. It meets the condition {@code owners}
 * while every partition has an owner. Whether the events can be followed is no condition: reads do
 * not need them, and streams that are open live on. Thread-safe.
 */
public final class Query implements AutoCloseable {
  private static final int STREAM_THREADS =
      Math.max(2, Runtime.getRuntime().availableProcessors() / 2);

  private final OwnerDirectory directory;
  private final IncidentReads reads;
  private final AdminReads admin;
  private final StreamConfig streamConfig;
  private final EventTail tail;
  private final IncidentStreams streams;
  private final AtomicInteger clients = new AtomicInteger();
  private final Lifetime lifetime = new Lifetime();

  /**
   * A query service that is yet to be started.
   *
   * @param channels opens a channel to the address of a state server; the channel is closed here
   */
  public Query(
      QueryConfig config,
      StreamConfig streamConfig,
      MeterRegistry meters,
      Health health,
      Function<String, ManagedChannel> channels) {
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
                assignment -> owners.retain(assignment.owners()),
                health));
    OwnerCalls calls = new OwnerCalls(directory, owners, timer, metrics);
    this.streamConfig = streamConfig;
    StreamMetrics streamMetrics = new StreamMetrics(meters);
    ExecutorService threads = Executors.newFixedThreadPool(STREAM_THREADS, Query::streamThread);
    lifetime.add(threads::shutdownNow);
    CatchUpReaders older =
        lifetime.add(
            new CatchUpReaders(
                streamConfig.topics().events(),
                streamConfig.catchupReaders(),
                streamConfig.streamsMax(),
                streamConfig.catchupWait(),
                () -> consumer("tocsin-query-catch-up", StreamConfig.CHUNK_BYTES),
                timer));
    tail =
        lifetime.add(
            new EventTail(
                streamConfig.topics().events(),
                streamConfig.ringBytesMax(),
                () -> consumer("tocsin-query-events", StreamConfig.TAIL_BYTES),
                this::wakeStreams));
    streams =
        new IncidentStreams(
            streamConfig.topics().generation(),
            streamConfig.streamsMax(),
            tail::rings,
            older,
            new OwnerSnapshots(directory, owners, metrics),
            threads,
            timer,
            streamMetrics);
    StreamMetrics.watch(meters, streams, tail, older);
    reads = new IncidentReads(config, directory, calls, metrics, streams);
    admin = new AdminReads(config, directory, calls);
  }

  /**
   * Begins to learn who owns what, and what happens. Returns at once; until it is known, calls are
   * UNAVAILABLE.
   *
   * @throws UncheckedIOException if the file with the tokens' key cannot be used
   */
  public void start() {
    try {
      streams.open(TokenKey.load(streamConfig));
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
    directory.start();
    tail.start();
  }

  /** What it serves; none of it blocks. */
  public List<BindableService> services() {
    return List.of(reads, admin);
  }

  /**
   * Ends all streams, which would never end by themselves, and lets no more in: to be called before
   * the server that they come through waits for its calls to end.
   */
  public void endStreams() {
    streams.stop();
  }

  /** Ends the calls under way with an error and closes every channel. */
  @Override
  public void close() {
    lifetime.close();
  }

  private void wakeStreams() {
    streams.wake();
  }

  private Consumer<byte[], byte[]> consumer(String clientId, int fetchBytes) {
    return new KafkaConsumer<>(
        streamConfig.consumerConfig(clientId + "-" + clients.incrementAndGet(), fetchBytes));
  }

  private static void stop(ScheduledThreadPoolExecutor timer) throws InterruptedException {
    timer.shutdown();
    timer.awaitTermination(1, TimeUnit.SECONDS);
  }

  private static Thread streamThread(Runnable task) {
    Thread thread = new Thread(task, "query-streams");
    thread.setDaemon(true);
    return thread;
  }

  private static Thread timerThread(Runnable task) {
    Thread thread = new Thread(task, "query-timer");
    thread.setDaemon(true);
    return thread;
  }
}
