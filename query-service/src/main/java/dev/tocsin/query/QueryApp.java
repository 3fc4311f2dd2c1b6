package dev.tocsin.query;

import dev.tocsin.access.Access;
import dev.tocsin.access.ClientTls;
import dev.tocsin.ops.OpsConfig;
import dev.tocsin.ops.RulesService;
import dev.tocsin.runtime.CallerSeal;
import dev.tocsin.runtime.GrpcServer;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.OpsServer;
import dev.tocsin.runtime.Settings;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Pattern;

/** The query service as a process of its own: its gRPC port and its operator's port. */
public final class QueryApp implements AutoCloseable {
  private static final Pattern ADDRESS = Pattern.compile("[^\\s/]+:\\d{1,5}");

  /**
   * All that the process can be told.
   *
   * @param rules where the rules are that it shows and changes
   * @param grpc where it is served
   * @param access {@code query.tls.*}, {@code auth.*}, {@code limits.*}
   * @param opsHost where metrics, liveness and readiness are
   * @param opsPort 0 for any free one
   * @param ownersTls {@code forward.tls.*}: how processors are called; empty: not encrypted
   * @param callers {@code forward.secret}: how whoever forwards says who calls
   */
  record Config(
      QueryConfig query,
      StreamConfig streams,
      OpsConfig rules,
      GrpcServer.Config grpc,
      Access.Config access,
      String opsHost,
      int opsPort,
      Optional<ClientTls.Config> ownersTls,
      Optional<CallerSeal> callers) {
    static Config read(Settings settings) {
      QueryConfig query = QueryConfig.read(settings);
      for (String address : query.processors()) {
        if (!ADDRESS.matcher(address).matches()) {
          settings.fault("query.processors", "'" + address + "' is not HOST:PORT");
        }
      }
      return new Config(
          query,
          StreamConfig.read(settings),
          OpsConfig.read(settings),
          GrpcServer.Config.readInternal(settings, "query", 9000),
          Access.Config.read(settings, "query"),
          settings.text("ops.host", "127.0.0.1"),
          settings.integer("ops.port", 9090, 0, 65535),
          ClientTls.Config.read(settings),
          CallerSeal.read(settings));
    }
  }

  private final Lifetime lifetime = new Lifetime();
  private final Config config;
  private GrpcServer grpc;
  private OpsServer ops;

  QueryApp(Config config) {
    this.config = config;
  }

  /**
   * Opens everything; what was opened is closed again if this fails.
   *
   * @throws IOException if an address cannot be had
   */
  public QueryApp start() throws IOException {
    try {
      open();
      return this;
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  private void open() throws IOException {
    PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    lifetime.add(meters::close);
    Health health = new Health();
    ops = lifetime.add(new OpsServer(config.opsHost(), config.opsPort(), meters, health));
    Optional<SslContext> tls = Optional.empty();
    if (config.ownersTls().isPresent()) {
      tls = Optional.of(lifetime.add(new ClientTls(config.ownersTls().get())).context());
    }
    Function<String, ManagedChannel> channels = channels(tls);
    Query query =
        lifetime.add(
            new Query(
                config.query(), config.streams(), meters, health, channels, Clock.systemUTC()));
    query.start();
    Access access = lifetime.add(new Access(config.access(), meters, health, Clock.systemUTC()));
    GrpcServer server =
        lifetime.add(new GrpcServer(config.grpc(), meters, health).guardedBy(access));
    query.services().forEach(server::serveDirect); // none of it blocks
    server.serve(new RulesService(config.rules())); // this waits for Kafka
    server.callersBy(config.callers(), Clock.systemUTC());
    grpc = server.start();
    lifetime.add(query::endStreams);
    lifetime.add(server::stopAccepting);
    // The first to be closed: whoever asks whether it is ready hears at once that it no longer is.
    lifetime.add(() -> health.unmet("running", "the server is stopping"));
  }

  /** The gRPC port that is listened on. */
  public int port() {
    return grpc.port();
  }

  /** The operator's port that is listened on. */
  public int opsPort() {
    return ops.port();
  }

  /** Stops accepting, lets calls under way end, then closes the rest. */
  @Override
  public void close() {
    lifetime.close();
  }

  /**
   * Makes channels, each of which notices within seconds when its other end is gone without a word.
   */
  private static Function<String, ManagedChannel> channels(Optional<SslContext> tls) {
    return address -> {
      NettyChannelBuilder builder =
          NettyChannelBuilder.forTarget("dns:///" + address)
              .keepAliveTime(10, TimeUnit.SECONDS)
              .keepAliveTimeout(3, TimeUnit.SECONDS)
              .disableRetry();
      return tls.map(builder::sslContext).orElseGet(builder::usePlaintext).build();
    };
  }
}
