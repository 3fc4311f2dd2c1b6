package dev.tocsin.runtime;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionService;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A gRPC server with what every one of ours has: limits, metrics, errors that say what they
 * promise, grpc.health.v1 and reflection. Services that never block run on the transport's own
 * threads; the others on a pool that answers UNAVAILABLE while too many calls wait for it.
 */
public final class GrpcServer implements AutoCloseable {
  private static final Duration SHUTDOWN_MAX = Duration.ofSeconds(10);

  /**
   * What a call may have sent beyond what it was asked for; it lies outside the heap. A fixed one:
   * by itself the transport would raise it to 8 MiB for each call of a connection that is fast.
   * More than the alerts that a stream may have unanswered, so that it does not slow those.
   */
  private static final int CALL_WINDOW_BYTES = 512 << 10;

  /** For calls that were sent before their callers heard that the server stops. */
  private static final Duration SHUTDOWN_MIN = Duration.ofMillis(300);

  private static final Duration GO_AWAY_MAX = Duration.ofMillis(50);
  private static final Duration SHUTDOWN_POLL = Duration.ofMillis(20);

  /** In which a connection may reset as many calls as it may have. */
  private static final Duration RESETS_WINDOW = Duration.ofSeconds(30);

  /**
   * The name under which {@code grpc.health.v1} says whether new calls are accepted, whatever they
   * can be answered with: SERVING from the start until the server stops.
   */
  static final String ACCEPTING = "tocsin.accepting";

  /**
   * Where and how to listen.
   *
   * @param host a name or address of this machine
   * @param port 0 for any free one
   * @param messageBytesMax of one message, decompressed
   * @param metadataBytesMax of a call's headers
   * @param callThreads for services that may block
   * @param connectionCallsMax open at once on one connection: one more waits at the caller, unseen
   *     here, until one ends
   * @param connections what they may do
   */
  public record Config(
      String host,
      int port,
      int messageBytesMax,
      int metadataBytesMax,
      int callThreads,
      int connectionCallsMax,
      ConnectionLimits connections) {
    private static final int PUBLIC_CONNECTION_CALLS = 1_000;
    private static final int CONNECTION_CALLS_LIMIT = 1_000_000;

    /** With the limits that connections have by default on a port that callers share. */
    public Config(
        String host,
        int port,
        int messageBytesMax,
        int metadataBytesMax,
        int callThreads,
        int connectionCallsMax) {
      this(
          host,
          port,
          messageBytesMax,
          metadataBytesMax,
          callThreads,
          connectionCallsMax,
          ConnectionLimits.defaults());
    }

    /**
     * The settings {@code NAME.host}, {@code .port} and so on, with defaults; loopback unless told
     * otherwise. Of a port that callers share, none of whom is to take it all.
     */
    public static Config read(Settings settings, String name, int portDefault) {
      return read(
          settings,
          name,
          portDefault,
          PUBLIC_CONNECTION_CALLS,
          ConnectionLimits.read(settings, name));
    }

    /**
     * The same for a port that only our own servers call, each by one connection for all that its
     * callers ask of it: they bound that themselves, and what they let through is not to wait.
     */
    public static Config readInternal(Settings settings, String name, int portDefault) {
      return read(
          settings,
          name,
          portDefault,
          CONNECTION_CALLS_LIMIT,
          ConnectionLimits.readInternal(settings, name));
    }

    private static Config read(
        Settings settings,
        String name,
        int portDefault,
        int connectionCallsDefault,
        ConnectionLimits connections) {
      String host = settings.text(name + ".host", "127.0.0.1");
      int messageBytesMax =
          settings.integer(name + ".message-bytes-max", 4 << 20, 1 << 10, 64 << 20);
      if (connections.partialBytesMax() < 2 * messageBytesMax) {
        settings.fault(
            name + ".partial-bytes-max",
            "must be at least twice %s.message-bytes-max, %d, or a message could be the only one"
                    .formatted(name, messageBytesMax)
                + " and yet too much");
      }
      return new Config(
          host,
          settings.integer(name + ".port", portDefault, 0, 65535),
          messageBytesMax,
          settings.integer(name + ".metadata-bytes-max", 8 << 10, 1 << 10, 1 << 20),
          settings.integer(name + ".call-threads", 8, 1, 1024),
          settings.integer(
              name + ".connection-calls-max", connectionCallsDefault, 1, CONNECTION_CALLS_LIMIT),
          connections);
    }
  }

  private final Config config;
  private final MeterRegistry meters;
  private final Health health;
  private final HealthStatusManager healthService = new HealthStatusManager();
  private final List<ServerServiceDefinition> services = new ArrayList<>();
  private final Set<String> direct = new HashSet<>();
  private final CallPool calls;
  private final Connections connections;
  private final OpenCalls open = new OpenCalls(this::isOurs);
  private Optional<CallerGuard> forwarded = Optional.empty();
  private Optional<Guards> access = Optional.empty();
  private final AtomicBoolean stopping = new AtomicBoolean();
  private Server server;

  /** A server that is yet to be given services and started. */
  public GrpcServer(Config config, MeterRegistry meters, Health health) {
    this.config = config;
    this.meters = meters;
    this.health = health;
    this.connections = new Connections(config.connections(), meters);
    this.calls = new CallPool(config.callThreads(), direct::contains);
    direct.add(HealthGrpc.SERVICE_NAME);
  }

  /** Serves {@code service} on the call pool. Before {@link #start} only. */
  public GrpcServer serve(BindableService service) {
    services.add(service.bindService());
    return this;
  }

  /**
   * Serves {@code service}, whose methods never block, on the transport's threads. Before {@link
   * #start} only.
   */
  public GrpcServer serveDirect(BindableService service) {
    ServerServiceDefinition definition = service.bindService();
    direct.add(definition.getServiceDescriptor().getName());
    services.add(definition);
    return this;
  }

  /**
   * Takes from whoever forwards calls who their callers are, as {@code forward.secret} says: see
   * {@link CallerSeal}. Before {@link #start} only.
   */
  public GrpcServer callersBy(Optional<CallerSeal> seal, Clock clock) {
    forwarded = Optional.of(new CallerGuard(seal, clock, this::isOurs, meters));
    return this;
  }

  /**
   * Encrypts as {@code given} says, and lets in whom it lets in; a call that one of our own servers
   * forwards was let in there. Before {@link #start} only.
   */
  public GrpcServer guardedBy(Guards given) {
    access = Optional.of(given);
    return this;
  }

  /** The name that reflection had before version 1: tools that people still have know only that. */
  @SuppressWarnings("deprecation")
  private static BindableService oldReflection() {
    return ProtoReflectionService.newInstance();
  }

  private boolean isOurs(String service) {
    return services.stream().anyMatch(s -> s.getServiceDescriptor().getName().equals(service));
  }

  /**
   * Listens.
   *
   * @throws IOException if the address cannot be had
   */
  public GrpcServer start() throws IOException {
    TransportLog.quiet();
    LeakDetection.onlyIfAsked();
    PartialMessages partial = new PartialMessages(config.connections().partialBytesMax(), meters);
    MetadataBound metadata = new MetadataBound(config.metadataBytesMax());
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(config.host(), config.port()))
            .maxInboundMessageSize(config.messageBytesMax())
            .maxInboundMetadataSize(metadata.transportBytesMax())
            .flowControlWindow(CALL_WINDOW_BYTES)
            .maxConcurrentCallsPerConnection(config.connectionCallsMax())
            .maxRstFramesPerWindow(config.connectionCallsMax(), (int) RESETS_WINDOW.toSeconds())
            // Of each call, the look-up of its method; then the call itself goes where it belongs.
            .directExecutor()
            .callExecutor(calls);
    connections.limit(builder);
    access.flatMap(Guards::tls).ifPresent(builder::sslContext);
    // The last one is the outermost.
    guards().forEach(builder::intercept);
    builder
        .intercept(new Trace())
        .intercept(calls)
        .intercept(metadata)
        .intercept(partial)
        .intercept(new CallMetrics(meters))
        .intercept(new AccessLog(access.map(Guards::logged).orElse(LoggedCalls.OFF)))
        .intercept(open)
        .intercept(new CallReset())
        .addStreamTracerFactory(partial)
        .addService(guarded(healthService.getHealthService()))
        .addService(guarded(ProtoReflectionServiceV1.newInstance()))
        .addService(guarded(oldReflection()));
    services.forEach(service -> builder.addService(MessageGuard.guard(service)));
    healthService.setStatus(ACCEPTING, ServingStatus.SERVING);
    server = builder.build().start();
    health.watch(this::publish);
    return this;
  }

  private static ServerServiceDefinition guarded(BindableService service) {
    return MessageGuard.guard(service.bindService());
  }

  /** The innermost first. */
  private List<ServerInterceptor> guards() {
    List<ServerInterceptor> guards = new ArrayList<>();
    access.flatMap(given -> given.quotas(this::isOurs)).ifPresent(guards::add);
    Optional<ServerInterceptor> tokens = access.flatMap(given -> given.tokens(this::isClosed));
    if (tokens.isPresent() && forwarded.isPresent()) {
      guards.add(new EitherGuard(forwarded.get(), tokens.get(), this::isOurs));
    } else {
      tokens.ifPresent(guards::add);
      forwarded.ifPresent(guards::add);
    }
    return guards;
  }

  /** Anybody may ask for nothing but the server's health. */
  private boolean isClosed(String service) {
    return !service.equals(HealthGrpc.SERVICE_NAME);
  }

  /** The port that is listened on. */
  public int port() {
    return server.getPort();
  }

  /**
   * Takes no more calls: it says NOT_SERVING, then tells each connection to go (GOAWAY). The calls
   * under way go on.
   */
  public void stopAccepting() throws InterruptedException {
    if (!stopping.compareAndSet(false, true)) {
      return;
    }
    healthService.enterTerminalState();
    if (server != null) {
      // The transport's threads tell the connections: what follows is to come behind that.
      server.shutdown().awaitTermination(GO_AWAY_MAX.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  /** Stops accepting, lets the calls under way end for ten seconds, then ends them. */
  @Override
  public void close() throws InterruptedException {
    stopAccepting();
    if (server != null) {
      if (!awaitCalls(System.nanoTime())) {
        server.shutdownNow().awaitTermination(1, TimeUnit.SECONDS);
      }
    }
    connections.close();
    calls.close();
  }

  /** Whether every connection has ended by itself; if not, no call of ours is left, or no time. */
  private boolean awaitCalls(long begunNanos) throws InterruptedException {
    while (!server.awaitTermination(SHUTDOWN_POLL.toMillis(), TimeUnit.MILLISECONDS)) {
      long tookNanos = System.nanoTime() - begunNanos;
      boolean idle = tookNanos > SHUTDOWN_MIN.toNanos() && open.count() == 0;
      if (idle || tookNanos > SHUTDOWN_MAX.toNanos()) {
        return false;
      }
    }
    return true;
  }

  private void publish(boolean serving) {
    ServingStatus status = serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    healthService.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
    services.forEach(
        service -> healthService.setStatus(service.getServiceDescriptor().getName(), status));
  }
}
