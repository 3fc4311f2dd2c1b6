package dev.tocsin.processor;

import dev.tocsin.runtime.GrpcServer;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.OpsServer;
import dev.tocsin.runtime.Settings;
import dev.tocsin.runtime.access.Access;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Clock;

/** A processor as a process of its own: the fold, its state server, and the operator's port. */
public final class ProcessorApp implements AutoCloseable {
  private final ProcessorConfig config;
  private final GrpcServer.Config server;
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
    Access.checkLoopback(settings, "processor");
    opsPort = settings.integer("processor.ops-port", 9091, 0, 65535);
    partitions = settings.integer("log.partitions", 12, 1, 1024);
    replicas = settings.integer("log.replicas", 3, 1, 15);
    settings.check();
  }

  /** Makes the topics that are missing, then folds and answers. */
  public void start() throws IOException, InterruptedException {
    try {
      PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
      Health health = new Health();
      ops = lifetime.add(new OpsServer(server.host(), opsPort, meters, health));
      LogTopics.create(config.kafka(), config.topics(), partitions, replicas);
      grpc = new GrpcServer(server, meters, health);
      lifetime.add(grpc);
      // Closed before its server: while the partitions go to others, callers are told so, and
      // whoever follows the owners here is sent on, which the server would wait for.
      processor = lifetime.add(new Processor(config, meters, health, Clock.systemUTC()));
      processor.start();
      grpc.serve(processor.stateService()).start();
    } catch (IOException | InterruptedException | RuntimeException e) {
      close();
      throw e;
    }
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
    lifetime.close();
  }
}
