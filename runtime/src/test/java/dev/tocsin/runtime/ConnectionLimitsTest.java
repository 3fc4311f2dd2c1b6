package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ConnectionLimitsTest {
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private GrpcServer server;

  private void serve(Map<String, String> limits) throws Exception {
    Map<String, String> all = new TreeMap<>(limits);
    all.put("x.port", "0");
    Settings settings = Settings.of(all);
    GrpcServer.Config config = GrpcServer.Config.read(settings, "x", 0);
    settings.check();
    server = new GrpcServer(config, meters, new Health()).start();
  }

  private ManagedChannel connection() {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    channels.add(channel);
    return channel;
  }

  private static HealthGrpc.HealthBlockingStub health(ManagedChannel channel) {
    return HealthGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  private static HealthCheckResponse ask(ManagedChannel channel) {
    return health(channel).check(HealthCheckRequest.getDefaultInstance());
  }

  private double open() {
    return meters.get("grpc.connections").gauge().value();
  }

  private double refused(ConnectionBound.Refusal reason) {
    return meters.get("grpc.connections.refused").tag("reason", reason.name()).counter().count();
  }

  @AfterEach
  void close() throws Exception {
    for (ManagedChannel channel : channels) {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    if (server != null) {
      server.close();
    }
  }

  @Test
  void connectionOverTheBound_isClosedAtOnceAndLetInOnceAnotherHasGone() throws Exception {
    serve(Map.of("x.connections-max", "2"));
    assertBoundOfTwo(ConnectionBound.Refusal.TOO_MANY);
  }

  @Test
  void connectionOverTheBoundOfItsAddress_isClosedAtOnceAndLetInLater() throws Exception {
    serve(Map.of("x.address-connections-max", "2"));
    assertBoundOfTwo(ConnectionBound.Refusal.TOO_MANY_OF_ADDRESS);
  }

  private void assertBoundOfTwo(ConnectionBound.Refusal reason) {
    ManagedChannel first = connection();
    ask(first);
    ask(connection());
    ManagedChannel over = connection();

    StatusRuntimeException error =
        catchThrowableOfType(StatusRuntimeException.class, () -> ask(over));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(refused(reason)).isPositive();
    assertThat(open()).isEqualTo(2);
    assertThat(ask(first)).isNotNull();

    first.shutdownNow();
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(ask(over)).isNotNull());
    assertThat(open()).isEqualTo(2);
  }

  @Test
  void connectionsMax_leavesTheProcessDescriptorsOfItsOwn() {
    assertThat(Connections.connectionsMax(10_000, 1024)).isEqualTo(768);
    assertThat(Connections.connectionsMax(10_000, 1_000_000)).isEqualTo(10_000);
    assertThat(Connections.connectionsMax(10_000, 1)).isEqualTo(1);
  }

  @Test
  void idleConnection_isToldToGoAndAskedAgainConnectsAgain() throws Exception {
    serve(Map.of("x.connection-idle-max", "1s"));
    ManagedChannel channel = connection();
    ask(channel);
    Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> open() == 0);
    assertThat(ask(channel)).isNotNull();
  }

  @Test
  void oldConnection_endsWithItsCallsWhenItsGraceIsOver() throws Exception {
    serve(Map.of("x.connection-age-max", "1s", "x.connection-age-grace", "1s"));
    Iterator<HealthCheckResponse> watch =
        health(connection()).watch(HealthCheckRequest.getDefaultInstance());
    assertThat(watch.next()).isNotNull();

    StatusRuntimeException error =
        catchThrowableOfType(StatusRuntimeException.class, watch::hasNext);
    assertThat(error.getStatus().getCode()).isNotEqualTo(Status.Code.DEADLINE_EXCEEDED);
    Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> open() == 0);
  }

  @Test
  void portOfOurOwnServers_hasNoBoundByAddressAndNoIdleTime() {
    Settings none = Settings.of(Map.of());
    ConnectionLimits internal = GrpcServer.Config.readInternal(none, "x", 0).connections();
    assertThat(internal.addressConnectionsMax()).isGreaterThan(internal.connectionsMax());
    assertThat(internal.idleMax()).isZero();
    assertThat(internal.ageMax()).isZero();
  }

  @Test
  void lineThatOthersCause_isLoggedOnceAMinute() {
    AtomicLong nanos = new AtomicLong();
    SeldomLine line = new SeldomLine(nanos::get);
    assertThat(line.isDue()).isTrue();
    assertThat(line.isDue()).isFalse();
    nanos.addAndGet(TimeUnit.SECONDS.toNanos(59));
    assertThat(line.isDue()).isFalse();
    nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
    assertThat(line.isDue()).isTrue();
    assertThat(line.leftOut()).isEqualTo(2);
    assertThat(line.leftOut()).isZero();
  }
}
