package dev.tocsin.standalone;

import dev.tocsin.access.Access;
import dev.tocsin.broker.BrokerProcess;
import dev.tocsin.ingest.Edge;
import dev.tocsin.ops.RulesService;
import dev.tocsin.processor.LogTopics;
import dev.tocsin.processor.Processor;
import dev.tocsin.query.Query;
import dev.tocsin.runtime.GrpcServer;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.OpsServer;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All of Tocsin in this process, and a broker of its own as a child: one gRPC port for every
 * service, one port for metrics and health. Thread-safe once started.
 */
public final class StandaloneApp implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StandaloneApp.class);

  /** What Health needs beside the parts' own conditions. */
  private static final String BROKER = "broker";

  private static final String OPEN = "open";
  private static final int REPLICAS = 1;
  private static final Duration NOTICE_INTERVAL = Duration.ofSeconds(10);
  private static final Duration FAILURE_POLL = Duration.ofMillis(500);

  private final StandaloneConfig config;
  private final Health health = new Health();
  private final PrometheusMeterRegistry meters =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final StateServer state;
  private final Edge edge;
  private final Query query;
  private final Processor processor;

  /** What callers meet; closed first. */
  private final Lifetime front = new Lifetime();

  /** What the front stands on. */
  private final Lifetime back = new Lifetime();

  private final CompletableFuture<String> failure = new CompletableFuture<>();
  private volatile boolean closing;
  private volatile BrokerProcess broker;
  private GrpcServer grpc;
  private OpsServer ops;

  /** An app that is yet to be started. */
  public StandaloneApp(StandaloneConfig config) {
    this.config = config;
    health.require(OPEN);
    health.require(BROKER);
    Clock clock = Clock.systemUTC();
    state = new StateServer(config.grpc().callThreads());
    edge = new Edge(config.edge(), meters, health, clock);
    query = new Query(config.query(), config.streams(), meters, health, state::channel, clock);
    processor = new Processor(config.processor(), meters, health, clock);
  }

  /**
   * Starts everything and waits until it serves. That may take long after a crash, while stores are
   * restored from the log's changelogs: there is no bound, but a notice every ten seconds.
   *
   * @param notices gets what it waits for, in a line
   * @throws StartException if it cannot serve; everything is closed then
   */
  public StandaloneApp start(Consumer<String> notices) throws StartException, InterruptedException {
    try {
      open();
      awaitServing(notices);
      return this;
    } catch (StartException | InterruptedException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /** The gRPC port. */
  public int port() {
    return grpc.port();
  }

  /** The port of metrics and health. */
  public int opsPort() {
    return ops.port();
  }

  /** Where the broker is reached: {@code 127.0.0.1:PORT}. */
  public String bootstrap() {
    return broker.bootstrap();
  }

  /** The broker's process id. */
  long brokerPid() {
    return broker.pid();
  }

  /** Waits until it fails by itself, which may be never, and says how. */
  String awaitFailure() throws InterruptedException {
    while (true) {
      try {
        return failure.get(FAILURE_POLL.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        if (processor.failed()) {
          failure.complete("the processor stopped: its threads keep dying");
        }
      } catch (ExecutionException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /**
   * Says NOT_SERVING, takes no more, answers what was taken, and closes everything in reverse, the
   * broker last. Each part bounds its own closing.
   */
  @Override
  public void close() {
    closing = true;
    health.unmet(OPEN, "stopping");
    front.close();
    back.close();
  }

  /** The broker and what needs it come up on a thread of their own while the front opens here. */
  private void open() throws StartException, InterruptedException {
    back.add(DataFolder.take(config.data()));
    back.add(meters::close);
    ops = back.add(listenOps());
    FutureTask<Void> behind = new FutureTask<>(this::openBack, null);
    new Thread(behind, "standalone-start").start();
    openFront();
    try {
      behind.get();
    } catch (ExecutionException e) {
      throw startFault(e.getCause());
    }
    health.met(OPEN);
  }

  private void openFront() throws StartException {
    bindJvmMeters();
    front.add(query);
    grpc = new GrpcServer(config.grpc(), meters, health).guardedBy(openAccess());
    edge.services().forEach(grpc::serveDirect);
    query.services().forEach(grpc::serveDirect);
    grpc.serve(new RulesService(config.ops())); // this waits for Kafka
    try {
      front.add(grpc.start());
    } catch (IOException e) {
      throw new StartException(
          portInUse("gRPC", "--port", config.grpc().host(), config.grpc().port()), e);
    }
    front.add(edge);
    front.add(query::endStreams); // which end by no other way
    front.add(grpc::stopAccepting);
  }

  private Access openAccess() throws StartException {
    try {
      return back.add(new Access(config.access(), meters, health, Clock.systemUTC()));
    } catch (IOException e) {
      throw new StartException(e.getMessage(), e);
    }
  }

  private void openBack() {
    try {
      broker =
          opened(
              BrokerProcess.start(
                  DataFolder.kafka(config.data()),
                  config.kafkaPort(),
                  Optional.of(DataFolder.brokerLogFile(config.data()))));
      broker.onExit(this::brokerEnded);
      health.met(BROKER);
      var kafka = config.processor().kafka();
      LogTopics.create(kafka, config.processor().topics(), config.partitions(), REPLICAS);
      edge.start();
      opened(processor);
      processor.start();
      opened(state.start(processor.stateService()));
      query.start();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** As {@link Lifetime#add}, but where all was closed meanwhile this is too, and no more opens. */
  private <T extends AutoCloseable> T opened(T part) {
    back.add(part);
    if (closing) {
      back.close();
      throw new CancellationException("closed while it started");
    }
    return part;
  }

  private void brokerEnded(String how) {
    if (closing) {
      return;
    }
    health.unmet(BROKER, "it has ended");
    LOG.error("the broker ended by itself: {}", how);
    failure.complete("the broker ended by itself: " + how);
  }

  private void awaitServing(Consumer<String> notices) throws StartException, InterruptedException {
    CompletableFuture<String> serving = new CompletableFuture<>();
    health.watch(
        serves -> {
          if (serves) {
            serving.complete("");
          }
        });
    CompletableFuture<Object> either = CompletableFuture.anyOf(serving, failure);
    while (true) {
      try {
        String failed = (String) either.get(NOTICE_INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
        if (!failed.isEmpty()) {
          throw new StartException(failed, null);
        }
        return;
      } catch (TimeoutException e) {
        if (processor.failed()) {
          throw new StartException("the processor stopped: its threads keep dying", e);
        }
        notices.accept("still starting: " + health.problems());
      } catch (ExecutionException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private OpsServer listenOps() throws StartException {
    try {
      return new OpsServer(config.opsHost(), config.opsPort(), meters, health);
    } catch (IOException e) {
      throw new StartException(
          portInUse("metrics", "--metrics-port", config.opsHost(), config.opsPort()), e);
    }
  }

  private void bindJvmMeters() {
    new JvmMemoryMetrics().bindTo(meters);
    new JvmThreadMetrics().bindTo(meters);
    back.add(bound(new JvmGcMetrics()));
  }

  private JvmGcMetrics bound(JvmGcMetrics gc) {
    gc.bindTo(meters);
    return gc;
  }

  private static StartException startFault(Throwable cause) {
    if (!(cause instanceof BrokerProcess.StartException)) {
      LOG.error("the start failed", cause);
    }
    return new StartException(String.valueOf(cause.getMessage()), cause);
  }

  private static String portInUse(String what, String option, String host, int port) {
    return "cannot listen on %s:%d for %s: give another port by %s, or 0 for any free one"
        .formatted(host, port, what, option);
  }
}
