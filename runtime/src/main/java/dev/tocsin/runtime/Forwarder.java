package dev.tocsin.runtime;

import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Serves services that other servers implement: hands each call on to one of them as raw bytes, in
 * turn, and its answer back. It knows the services by their descriptors, so an unknown method is
 * UNIMPLEMENTED here already and reflection shows their messages. A target that says that it stops,
 * or that cannot be reached, gets no new calls; when none is left they are UNAVAILABLE. Streams are
 * counted apart from calls of one answer: they may stay for ever and are not to take the others'
 * place.
 *
 * <p>Never blocks; thread-safe.
 */
public final class Forwarder implements AutoCloseable {
  /** Of one answer: more than any that we give. */
  private static final int ANSWER_BYTES_MAX = 64 << 20;

  /**
   * What a target may send of one call while its caller does not read, and of all of them before
   * the connection has taken it. By itself grpc-java begins with 1 MiB and goes up to 8, which
   * every caller who is slow could have held here.
   */
  static final int WINDOW_BYTES = 64 << 10;

  private static final int CONNECT_MAX_MS = 3_000;

  /** gRPC by itself would wait up to two minutes before it tries a target again. */
  private static final Duration RECONNECT = Duration.ofSeconds(2);

  private static final Bytes BYTES = new Bytes();

  /**
   * Where to.
   *
   * @param targets servers that all serve the same; empty for no forwarding at all
   * @param callsMax of one answer each, forwarded at once; one more is UNAVAILABLE
   * @param streamsMax of all other shapes, forwarded at once; one more is UNAVAILABLE
   * @param seal tells the targets who calls; empty: they are not told
   */
  public record Config(
      List<InetSocketAddress> targets, int callsMax, int streamsMax, Optional<CallerSeal> seal) {
    public Config {
      targets = List.copyOf(targets);
    }

    /**
     * Reads {@code NAME.forward-to} (HOST:PORT, separated by commas), {@code NAME.forwards-max},
     * {@code NAME.forward-streams-max} and {@code forward.secret}.
     */
    public static Config read(Settings settings, String name) {
      String setting = name + ".forward-to";
      List<InetSocketAddress> targets = new ArrayList<>();
      for (String target : settings.list(setting, List.of())) {
        Optional<InetSocketAddress> address = address(target);
        if (address.isEmpty()) {
          settings.fault(setting, "'" + target + "' is not HOST:PORT");
        } else if (targets.contains(address.get())) {
          settings.fault(setting, "names " + target + " twice");
        }
        address.ifPresent(targets::add);
      }
      return new Config(
          targets,
          settings.integer(name + ".forwards-max", 10_000, 1, 1_000_000),
          settings.integer(name + ".forward-streams-max", 4_000, 1, 1_000_000),
          CallerSeal.read(settings));
    }

    private static Optional<InetSocketAddress> address(String target) {
      int colon = target.lastIndexOf(':');
      if (colon < 1 || !target.substring(colon + 1).matches("\\d{1,5}")) {
        return Optional.empty();
      }
      int port = Integer.parseInt(target.substring(colon + 1));
      return port < 1 || port > 65535
          ? Optional.empty()
          : Optional.of(InetSocketAddress.createUnresolved(target.substring(0, colon), port));
    }
  }

  private final Config config;
  private final List<ServiceDescriptor> services;
  private final Clock clock;
  private final Semaphore calls;
  private final Semaphore streams;
  private final Set<ForwardedCall> openStreams = ConcurrentHashMap.newKeySet();
  private volatile boolean streamsEnded;
  private final ManagedChannel channel;
  private final ScheduledExecutorService timer;

  /**
   * A forwarder, which begins to connect.
   *
   * @param services as generated from their proto files; what is not in them is not forwarded
   * @param tls how the targets are called; empty: not encrypted
   * @param clock for the header that says who calls
   */
  public Forwarder(
      Config config,
      List<ServiceDescriptor> services,
      Optional<SslContext> tls,
      MeterRegistry meters,
      Clock clock) {
    this.config = config;
    this.services = List.copyOf(services);
    this.clock = clock;
    this.calls = new Semaphore(config.callsMax());
    this.streams = new Semaphore(config.streamsMax());
    this.channel = channel(config.targets(), tls);
    this.timer = Executors.newSingleThreadScheduledExecutor(Forwarder::daemon);
    ConnectivityState unusedState = channel.getState(true); // begins to connect
    ScheduledFuture<?> unused =
        timer.scheduleWithFixedDelay(
            channel::resetConnectBackoff,
            RECONNECT.toMillis(),
            RECONNECT.toMillis(),
            TimeUnit.MILLISECONDS);
    Gauge.builder("forward.calls", calls, free -> config.callsMax() - free.availablePermits())
        .description("Calls of one answer that are being forwarded")
        .register(meters);
    Gauge.builder("forward.streams", streams, free -> config.streamsMax() - free.availablePermits())
        .description("Streams that are being forwarded")
        .register(meters);
  }

  /** The services, to be served on the transport's own threads. */
  public List<BindableService> services() {
    return services.stream().map(service -> (BindableService) () -> forwarded(service)).toList();
  }

  /**
   * Ends all streams with UNAVAILABLE, and those that come later too, since most would never end by
   * themselves: to be called before the server that they come through waits for its calls to end.
   */
  public void endStreams() {
    streamsEnded = true;
    openStreams.forEach(ForwardedCall::stop);
  }

  /** Ends what is under way. */
  @Override
  public void close() throws InterruptedException {
    timer.shutdownNow();
    channel.shutdownNow().awaitTermination(1, TimeUnit.SECONDS);
  }

  private ServerServiceDefinition forwarded(ServiceDescriptor service) {
    List<MethodDescriptor<byte[], byte[]>> methods =
        service.getMethods().stream().map(Forwarder::raw).toList();
    ServiceDescriptor.Builder descriptor =
        ServiceDescriptor.newBuilder(service.getName())
            .setSchemaDescriptor(service.getSchemaDescriptor());
    methods.forEach(descriptor::addMethod);
    ServerServiceDefinition.Builder definition =
        ServerServiceDefinition.builder(descriptor.build());
    methods.forEach(
        method -> definition.addMethod(method, (call, headers) -> forward(method, call, headers)));
    return definition.build();
  }

  private static MethodDescriptor<byte[], byte[]> raw(MethodDescriptor<?, ?> method) {
    return method.toBuilder(BYTES, BYTES).build();
  }

  private ServerCall.Listener<byte[]> forward(
      MethodDescriptor<byte[], byte[]> method, ServerCall<byte[], byte[]> call, Metadata headers) {
    boolean stream = method.getType() != MethodDescriptor.MethodType.UNARY;
    Semaphore places = stream ? streams : calls;
    if (!places.tryAcquire()) {
      StatusRuntimeException full = ForwardedCall.tooMany();
      call.close(full.getStatus(), full.getTrailers());
      return new ServerCall.Listener<>() {};
    }
    SentWatch watch = new SentWatch();
    ClientCall<byte[], byte[]> target =
        channel.newCall(method, CallOptions.DEFAULT.withStreamTracerFactory(watch));
    ForwardedCall forwarded =
        new ForwardedCall(
            call,
            target,
            watch,
            ended -> {
              openStreams.remove(ended);
              places.release();
            });
    if (stream) {
      openStreams.add(forwarded);
    }
    ServerCall.Listener<byte[]> listener = forwarded.start(headersTo(method, headers));
    if (stream && streamsEnded) {
      forwarded.stop();
    }
    return listener;
  }

  private Metadata headersTo(MethodDescriptor<?, ?> method, Metadata headers) {
    Metadata passed = ForwardedCall.passed(headers);
    config
        .seal()
        .ifPresent(
            seal ->
                passed.put(
                    CallerSeal.HEADER,
                    seal.seal(Caller.current(), method.getFullMethodName(), clock.instant())));
    return passed;
  }

  /** Its own registry of names: {@code NameResolverRegistry}'s default one is everybody's. */
  @SuppressWarnings("deprecation")
  private static ManagedChannel channel(List<InetSocketAddress> targets, Optional<SslContext> tls) {
    NettyChannelBuilder builder =
        NettyChannelBuilder.forTarget(ForwardTargets.SCHEME + ":///targets")
            .nameResolverFactory(new ForwardTargets(targets))
            .defaultServiceConfig(
                Map.of(
                    "loadBalancingConfig", List.of(Map.of("round_robin", Map.of())),
                    "healthCheckConfig", Map.of("serviceName", GrpcServer.ACCEPTING)))
            .directExecutor() // nothing that is done with an answer waits
            .maxInboundMessageSize(ANSWER_BYTES_MAX)
            .flowControlWindow(WINDOW_BYTES)
            .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MAX_MS)
            .keepAliveTime(10, TimeUnit.SECONDS)
            .keepAliveTimeout(3, TimeUnit.SECONDS);
    return tls.map(builder::sslContext).orElseGet(builder::usePlaintext).build();
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "forward-timer");
    thread.setDaemon(true);
    return thread;
  }
}
