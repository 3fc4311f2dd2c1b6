package dev.tocsin.ingest;

import dev.tocsin.access.Access;
import dev.tocsin.access.ClientTls;
import dev.tocsin.proto.admin.AdminGrpc;
import dev.tocsin.proto.admin.RulesGrpc;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.SilencesGrpc;
import dev.tocsin.runtime.Forwarder;
import dev.tocsin.runtime.GrpcServer;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.OpsServer;
import dev.tocsin.runtime.Settings;
import io.grpc.ServiceDescriptor;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/**
 * The edge as a server of its own: gRPC on one port, metrics and health on another. What is not the
 * edge's it forwards, so that this port answers every public service.
 */
public final class EdgeApp implements AutoCloseable {
  /** The public services that are not its own. */
  private static final List<ServiceDescriptor> FORWARDED =
      List.of(
          IncidentServiceGrpc.getServiceDescriptor(),
          SilencesGrpc.getServiceDescriptor(),
          AdminGrpc.getServiceDescriptor(),
          RulesGrpc.getServiceDescriptor());

  private final Config config;
  private final Lifetime lifetime = new Lifetime();
  private GrpcServer server;
  private OpsServer ops;

  /**
   * All that the server is told.
   *
   * @param grpc {@code edge.host}, {@code edge.port} (9000) and so on
   * @param access {@code edge.tls.*}, {@code auth.*}, {@code limits.*}
   * @param opsHost {@code edge.ops-host}
   * @param opsPort {@code edge.ops-port} (9090); 0 for any free one
   * @param forward {@code edge.forward-to}: query-services, which answer what the edge does not;
   *     empty for an edge that takes alerts and nothing else
   * @param forwardTls {@code forward.tls.*}: how those are called; empty: not encrypted
   */
  public record Config(
      GrpcServer.Config grpc,
      Access.Config access,
      String opsHost,
      int opsPort,
      EdgeConfig edge,
      Forwarder.Config forward,
      Optional<ClientTls.Config> forwardTls) {
    /** Reads and checks all of it; a fault of any part is told with those of the others. */
    public static Config read(Settings settings) {
      Config config =
          new Config(
              GrpcServer.Config.read(settings, "edge", 9000),
              Access.Config.read(settings, "edge"),
              settings.text("edge.ops-host", "127.0.0.1"),
              settings.integer("edge.ops-port", 9090, 0, 65535),
              EdgeConfig.read(settings),
              Forwarder.Config.read(settings, "edge"),
              ClientTls.Config.read(settings));
      config.checkCallersAreTold(settings);
      settings.check();
      return config;
    }

    private void checkCallersAreTold(Settings settings) {
      if (access.tokens().isPresent() && !forward.targets().isEmpty() && forward.seal().isEmpty()) {
        settings.fault(
            "forward.secret",
            "must be set where auth.* and edge.forward-to are, the same on the query-services:"
                + " they would take everyone for nobody, of the workspace default");
      }
    }
  }

  /** A server that is yet to be started. */
  public EdgeApp(Config config) {
    this.config = config;
  }

  /**
   * Listens, also while there is no log yet.
   *
   * @throws IOException if an address cannot be had; then nothing is left open
   */
  public EdgeApp start() throws IOException {
    try {
      PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
      lifetime.add(meters::close);
      new JvmMemoryMetrics().bindTo(meters);
      Health health = new Health();
      ops = lifetime.add(new OpsServer(config.opsHost(), config.opsPort(), meters, health));
      Edge edge = new Edge(config.edge(), meters, health, Clock.systemUTC());
      Access access = lifetime.add(new Access(config.access(), meters, health, Clock.systemUTC()));
      server = new GrpcServer(config.grpc(), meters, health).guardedBy(access);
      edge.services().forEach(server::serveDirect);
      // Closed after the server, so that calls under way still end.
      Optional<Forwarder> forwarder = forward(meters);
      lifetime.add(server);
      server.start();
      lifetime.add(edge); // closed before the server: see Edge
      edge.start();
      forwarder.ifPresent(forwards -> lifetime.add(forwards::endStreams));
      lifetime.add(server::stopAccepting); // before the streams are ended: callers go elsewhere
      // The first to be closed: whoever asks whether it is ready hears at once that it no longer
      // is.
      lifetime.add(() -> health.unmet("running", "the server is stopping"));
      return this;
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  private Optional<Forwarder> forward(MeterRegistry meters) throws IOException {
    if (config.forward().targets().isEmpty()) {
      return Optional.empty();
    }
    Optional<SslContext> tls = Optional.empty();
    if (config.forwardTls().isPresent()) {
      tls = Optional.of(lifetime.add(new ClientTls(config.forwardTls().get())).context());
    }
    Forwarder forwarder =
        lifetime.add(new Forwarder(config.forward(), FORWARDED, tls, meters, Clock.systemUTC()));
    forwarder.services().forEach(server::serveDirect);
    return Optional.of(forwarder);
  }

  /** The port of gRPC. */
  public int port() {
    return server.port();
  }

  /** The port of metrics and health. */
  public int opsPort() {
    return ops.port();
  }

  /** Answers what was taken, then stops. Bounded in time. */
  @Override
  public void close() {
    lifetime.close();
  }
}
