package dev.tocsin.processor;

import dev.tocsin.access.ServerTls;
import dev.tocsin.runtime.GrpcServer;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.OpsServer;
import dev.tocsin.runtime.Settings;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.errors.RetriableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A processor as a process of its own: the fold, its state server, and the operator's port. */
public final class ProcessorApp implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ProcessorApp.class);
  private static final Duration KAFKA_RETRY = Duration.ofSeconds(1);

  private final CountDownLatch closing = new CountDownLatch(1);
  private final ProcessorConfig config;
  private final GrpcServer.Config server;
  private final Optional<ServerTls.Config> tls;
  private final int opsPort;
  private final int partitions;
  private final int replicas;
  private final Lifetime lifetime = new Lifetime();
  private GrpcServer grpc;
  private OpsServer ops;
  private Processor processor;

  /**
   * Reads {@code processor.*}, {@code log.*} and {@code kafka.*}.
   *
   * @throws Settings.SettingsException naming every fault
   */
  public ProcessorApp(Settings settings) {
    config = ProcessorConfig.read(settings);
    server = GrpcServer.Config.readInternal(settings, "processor", 9001);
    tls = ServerTls.Config.readInternal(settings, "processor");
    opsPort = settings.integer("processor.ops-port", 9091, 0, 65535);
    partitions = settings.integer("log.partitions", 12, 1, 1024);
    replicas = settings.integer("log.replicas", 3, 1, 15);
    settings.check();
  }

  /**
   * Makes the topics that are missing, then folds and answers. While Kafka does not answer it
   * waits, for as long as that takes, and says so in its health.
   *
   * @return whether it runs; false if it was closed before Kafka came
   */
  public boolean start() throws IOException, InterruptedException {
    try {
      PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
      Health health = new Health();
      ops = lifetime.add(new OpsServer(server.host(), opsPort, meters, health));
      if (!topicsMade(health)) {
        return false;
      }
      grpc = new GrpcServer(server, meters, health);
      if (tls.isPresent()) {
        grpc.guardedBy(lifetime.add(new ServerTls(tls.get())));
      }
      lifetime.add(grpc);
      // Closed before its server: while the partitions go to others, callers are told so, and
      // whoever follows the owners here is sent on, which the server would wait for.
      processor = lifetime.add(new Processor(config, meters, health, Clock.systemUTC()));
      processor.start();
      grpc.serve(processor.stateService()).start();
      return true;
    } catch (IOException | InterruptedException | RuntimeException e) {
      close();
      throw e;
    }
  }

  private boolean topicsMade(Health health) throws InterruptedException {
    health.unmet(Processor.CONDITION, "Kafka has not answered yet");
    while (closing.getCount() > 0) {
      try {
        LogTopics.create(config.kafka(), config.topics(), partitions, replicas);
        return true;
      } catch (RetriableException away) {
        LOG.warn("Kafka does not answer, and is asked again: {}", away.toString());
        health.unmet(Processor.CONDITION, "Kafka does not answer: " + away.getMessage());
      }
      closing.await(KAFKA_RETRY.toMillis(), TimeUnit.MILLISECONDS);
    }
    return false;
  }

  /** The state server's port. */
  public int port() {
    return grpc.port();
  }

  /** The operator's port. */
  public int opsPort() {
    return ops.port();
  }

  /** Whether the processor has stopped by itself. */
  boolean failed() {
    return processor.failed();
  }

  @Override
  public void close() {
    closing.countDown();
    lifetime.close();
  }
}
