package dev.tocsin.query;

import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Reads incidents for callers: one by its id from the owner of its partition, lists from the owners
 * of all; from a standby, and said so, where the owner is away. It meets the condition {@code
 * owners} while every partition has an owner. Thread-safe.
 */
public final class Query implements AutoCloseable {
  /** A channel by itself would wait up to two minutes before it tries a lost owner again. */
  private static final Duration RECONNECT = Duration.ofSeconds(1);

  private final OwnerDirectory directory;
  private final IncidentReads reads;
  private final AdminReads admin;
  private final Lifetime lifetime = new Lifetime();

  /**
   * A query service that is yet to be started.
   *
   * @param channels opens a channel to the address of a state server; the channel is closed here
   */
  public Query(
      QueryConfig config,
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
                assignment -> owners.retain(assignment.addresses()),
                health));
    ScheduledFuture<?> unused =
        timer.scheduleWithFixedDelay(
            owners::reconnect, RECONNECT.toMillis(), RECONNECT.toMillis(), TimeUnit.MILLISECONDS);
    OwnerCalls calls = new OwnerCalls(directory, owners, timer, metrics);
    reads = new IncidentReads(config, directory, calls, metrics);
    admin = new AdminReads(config, directory, calls);
  }

  /** Begins to learn who owns what. Returns at once; until it is known, calls are UNAVAILABLE. */
  public void start() {
    directory.start();
  }

  /** What it serves; none of it blocks. */
  public List<BindableService> services() {
    return List.of(reads, admin);
  }

  /** Ends the calls under way with an error and closes every channel. */
  @Override
  public void close() {
    lifetime.close();
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
