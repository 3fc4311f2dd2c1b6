package dev.tocsin.ingest;

import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.SchemaPublisher;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.WriterSchema;
import io.grpc.BindableService;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The edge: takes alerts by gRPC, checks them, stamps their keys, appends them to the log, and
 * acknowledges each once every in-sync replica has it. It starts and serves without a log too: then
 * its calls are UNAVAILABLE and its conditions in {@link Health} say why.
 *
 * <p>Its services never block: serve them on the transport's own threads. Close it before the
 * server that serves it, so that every alert that was taken is answered while its call still is.
 */
public final class Edge implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Edge.class);

  /** How long a caller has to take its last acks, once the log has answered. */
  private static final Duration STREAMS_END_MAX = Duration.ofSeconds(2);

  private final ThreadPoolExecutor acks;
  private final LogWatch watch;
  private final RulesFollower rules;
  private final LogAppender appender;
  private final IngestionService service;

  /**
   * An edge that is yet to be started; its services may be served already.
   *
   * @param health gets the conditions {@value LogWatch#CONDITION}, {@value LogProducer#CONDITION}
   *     and {@value RulesFollower#CONDITION}
   * @param clock for the time at which alerts are received
   */
  public Edge(EdgeConfig config, MeterRegistry meters, Health health, Clock clock) {
    this.acks = ackThreads(config.ackThreads());
    InFlight inFlight = new InFlight(config.inFlightAlertsMax(), config.inFlightBytesMax());
    EdgeMeters counted = new EdgeMeters(meters, inFlight);
    this.rules = new RulesFollower(config, health, meters);
    this.watch = new LogWatch(config, health);
    this.appender =
        new LogAppender(
            config,
            watch::state,
            () -> producer(config),
            watch::appended,
            inFlight,
            acks,
            counted,
            health);
    AlertIntake intake = new AlertIntake(rules::stamper, appender, counted, clock);
    SlowStreams slow = new SlowStreams(config.slowStreamsMax(), counted::streamCut);
    counted.slowStreams(slow);
    this.service = new IngestionService(config, intake, acks, slow, health, version());
  }

  /**
   * Begins to look for the log, and takes alerts once it is found and its rules are read. Returns
   * at once.
   */
  public void start() {
    watch.start();
    rules.start();
    appender.start();
  }

  /** {@code alerts.AlertIngestion}, none of whose methods blocks. */
  public List<BindableService> services() {
    return List.of(service);
  }

  /**
   * Takes no more alerts, has the log answer those that were taken, sends their acks, and ends the
   * streams; then closes the producer. Bounded in time: what the log has not answered by the
   * configured time is answered UNAVAILABLE, and who does not take its acks is cut.
   */
  @Override
  public void close() throws InterruptedException {
    service.close();
    appender.close();
    if (!service.awaitStreams(STREAMS_END_MAX)) {
      LOG.warn("some streams do not take their acks; they are cut");
    }
    acks.shutdown();
    acks.awaitTermination(STREAMS_END_MAX.toMillis(), TimeUnit.MILLISECONDS);
    watch.close();
    rules.close();
  }

  /**
   * A producer whose entries every reader can read: their schema is published before it is made.
   */
  private static Producer<byte[], byte[]> producer(EdgeConfig config) {
    WriterSchema schema = WriterSchema.of(LogEntry.class);
    SchemaPublisher.publish(config.kafka(), config.topics().schemas(), schema.key(), schema.json());
    return new KafkaProducer<>(config.producerConfig());
  }

  /** The version of this software. */
  static String version() {
    try (InputStream in = Edge.class.getResourceAsStream("version.properties")) {
      Properties built = new Properties();
      built.load(in);
      return built.getProperty("version");
    } catch (IOException e) {
      throw new UncheckedIOException("bundled version.properties", e);
    }
  }

  /**
   * Its line holds at most a task for each entry that the log has yet to have settled and one for
   * each stream. A task that comes after the end runs at once, so that no alert stays unanswered.
   */
  private static ThreadPoolExecutor ackThreads(int threads) {
    return new ThreadPoolExecutor(
        threads,
        threads,
        0,
        TimeUnit.SECONDS,
        new LinkedBlockingQueue<>(),
        task -> {
          Thread thread = new Thread(task, "edge-acks");
          thread.setDaemon(true);
          return thread;
        },
        (task, pool) -> task.run());
  }
}
