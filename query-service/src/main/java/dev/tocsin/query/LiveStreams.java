package dev.tocsin.query;

import dev.tocsin.runtime.Lifetime;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/**
 * All that streams of incidents are made of, wired together: its threads, its tail, its readers.
 */
final class LiveStreams implements AutoCloseable {
  private static final int THREADS = Math.max(2, Runtime.getRuntime().availableProcessors() / 2);

  /** How often it is looked whether the events are followed. */
  private static final Duration CHECK = Duration.ofSeconds(1);

  private final StreamConfig config;
  private final ScheduledExecutorService timer;
  private final EventTail tail;
  private final IncidentStreams streams;
  private final AtomicInteger clients = new AtomicInteger();
  private final Lifetime lifetime = new Lifetime();

  LiveStreams(
      StreamConfig config,
      OwnerSnapshots snapshots,
      ScheduledExecutorService timer,
      MeterRegistry meters) {
    this.config = config;
    this.timer = timer;
    ExecutorService threads = Executors.newFixedThreadPool(THREADS, LiveStreams::thread);
    lifetime.add(threads::shutdownNow);
    CatchUpReaders older =
        lifetime.add(
            new CatchUpReaders(
                config.topics().events(),
                config.catchupReaders(),
                config.streamsMax(),
                config.catchupWait(),
                () -> consumer(config.catchUpConsumerConfig(id("catch-up"))),
                timer));
    tail =
        lifetime.add(
            new EventTail(
                config.topics().events(),
                config.ringBytesMax(),
                () -> consumer(config.tailConsumerConfig(id("events"))),
                this::wake));
    streams =
        new IncidentStreams(
            config.topics().generation(),
            config.streamsMax(),
            tail::rings,
            older,
            snapshots,
            threads,
            timer,
            new StreamMetrics(meters));
    StreamMetrics.watch(meters, streams, tail, older);
  }

  IncidentStreams streams() {
    return streams;
  }

  /**
   * Begins to follow what happens.
   *
   * @throws UncheckedIOException if the file with the tokens' key cannot be used
   */
  void start() {
    try {
      streams.open(TokenKey.load(config));
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
    tail.start();
    ScheduledFuture<?> unused =
        timer.scheduleWithFixedDelay(
            streams::check, CHECK.toMillis(), CHECK.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    lifetime.close();
  }

  private void wake() {
    streams.wake();
  }

  private String id(String name) {
    return "tocsin-query-%s-%d".formatted(name, clients.incrementAndGet());
  }

  private static Consumer<byte[], byte[]> consumer(Map<String, Object> config) {
    return new KafkaConsumer<>(config);
  }

  private static Thread thread(Runnable task) {
    Thread thread = new Thread(task, "query-streams");
    thread.setDaemon(true);
    return thread;
  }
}
