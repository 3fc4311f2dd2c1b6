package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.CreateIncidentResponse;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.GetIncidentResponse;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import io.grpc.BindableService;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a caller hears when a target is lost, too much is asked, or the server in front stops. */
class ForwarderFaultsTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final int CONNECTION_CALLS_MAX = 5_000;

  private final Lifetime lifetime = new Lifetime();
  private final BlockingQueue<String> arrived = new LinkedBlockingQueue<>();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private Forwarder forwarder;
  private ManagedChannel channel;

  /** Answers reads, unless told to hang; never a command, never the end of a stream. */
  private final class Incidents extends IncidentServiceGrpc.IncidentServiceImplBase {
    @Override
    public void createIncident(
        CreateIncidentRequest request, StreamObserver<CreateIncidentResponse> reply) {
      arrived.add(request.getTitle());
    }

    @Override
    public void getIncident(GetIncidentRequest request, StreamObserver<GetIncidentResponse> reply) {
      if (request.getId().equals("hang")) {
        arrived.add("hang");
        return;
      }
      reply.onNext(GetIncidentResponse.getDefaultInstance());
      reply.onCompleted();
    }

    @Override
    public void streamIncidents(
        StreamIncidentsRequest request, StreamObserver<IncidentEvent> reply) {
      ((ServerCallStreamObserver<IncidentEvent>) reply)
          .setOnCancelHandler(() -> arrived.add("left"));
      reply.onNext(IncidentEvent.getDefaultInstance());
    }
  }

  @AfterEach
  void close() {
    lifetime.close();
  }

  private GrpcServer target() throws IOException {
    Settings settings = Settings.of(Map.of("query.port", "0"));
    GrpcServer.Config config = GrpcServer.Config.readInternal(settings, "query", 9000);
    return lifetime.add(
        new GrpcServer(config, new SimpleMeterRegistry(), new Health())
            .serveDirect(new Incidents())
            .callersBy(Optional.empty(), Clock.systemUTC())
            .start());
  }

  private IncidentServiceGrpc.IncidentServiceBlockingStub front(
      int port, Map<String, String> settings) throws IOException {
    Map<String, String> all = new TreeMap<>(settings);
    all.put("edge.forward-to", "127.0.0.1:" + port);
    forwarder =
        lifetime.add(
            new Forwarder(
                Forwarder.Config.read(Settings.of(all), "edge"),
                List.of(IncidentServiceGrpc.getServiceDescriptor()),
                Optional.empty(),
                meters,
                Clock.systemUTC()));
    GrpcServer server =
        new GrpcServer(
            new GrpcServer.Config("127.0.0.1", 0, 4 << 20, 8 << 10, 4, CONNECTION_CALLS_MAX),
            new SimpleMeterRegistry(),
            new Health());
    forwarder.services().forEach(server::serveDirect);
    lifetime.add(server.start());
    channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port())
            .usePlaintext()
            .compressorRegistry(AsItIs.registry())
            .build();
    lifetime.add(channel::shutdownNow);
    return IncidentServiceGrpc.newBlockingStub(channel).withDeadlineAfter(SOON);
  }

  private IncidentServiceGrpc.IncidentServiceBlockingStub front(int port) throws IOException {
    return front(port, Map.of());
  }

  private static GetIncidentRequest id(String id) {
    return GetIncidentRequest.newBuilder().setId(id).build();
  }

  private static CreateIncidentRequest titled(String title) {
    return CreateIncidentRequest.newBuilder().setTitle(title).build();
  }

  private static <T extends Message> Optional<T> detail(
      StatusRuntimeException error, Class<T> type) {
    return StatusProto.fromThrowable(error).getDetailsList().stream()
        .filter(any -> any.is(type))
        .map(any -> unpacked(any, type))
        .findFirst();
  }

  private static <T extends Message> T unpacked(Any any, Class<T> type) {
    try {
      return any.unpack(type);
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  /** Sends this, does that once it has arrived, and gives the error that it ends with. */
  private StatusRuntimeException error(Runnable call, Runnable once) throws Exception {
    BlockingQueue<StatusRuntimeException> errors = new LinkedBlockingQueue<>();
    Thread caller =
        new Thread(() -> errors.add(catchThrowableOfType(StatusRuntimeException.class, call::run)));
    caller.start();
    assertThat(arrived.poll(20, TimeUnit.SECONDS)).isNotNull();
    once.run();
    StatusRuntimeException error = errors.poll(20, TimeUnit.SECONDS);
    caller.join();
    return error;
  }

  private static void assertUnknown(StatusRuntimeException error) {
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(error.getStatus().getDescription())
        .contains("not known", "only under the same request_id");
    ErrorInfo info = detail(error, ErrorInfo.class).orElseThrow();
    assertThat(info.getReason()).isEqualTo("OUTCOME_UNKNOWN");
    assertThat(info.getDomain()).isEqualTo("tocsin.dev");
    assertThat(detail(error, RetryInfo.class)).isEmpty();
  }

  private static void assertRetry(StatusRuntimeException error) {
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(detail(error, RetryInfo.class)).isPresent();
    assertThat(detail(error, ErrorInfo.class)).isEmpty();
  }

  @Test
  void command_thatATargetHadWhenItWasLostIsUnknown() throws Exception {
    CutCable cable = lifetime.add(new CutCable(target().port()));
    var incidents = front(cable.port());
    assertUnknown(error(() -> incidents.createIncident(titled("one")), cable::close));
  }

  @Test
  void command_thatATargetHadWhenItWasCutOffIsUnknown() throws Exception {
    Server killed = plain(new Incidents());
    var incidents = front(killed.getPort());
    assertUnknown(error(() -> incidents.createIncident(titled("one")), killed::shutdownNow));
  }

  /** As gRPC's own client has it of a connection that closes while a call begins. */
  @Test
  void command_thatEndsInAWayThatNoTargetSaysIsUnknown() throws Exception {
    Server target =
        plain(
            new IncidentServiceGrpc.IncidentServiceImplBase() {
              @Override
              public void createIncident(
                  CreateIncidentRequest request, StreamObserver<CreateIncidentResponse> reply) {
                reply.onError(
                    Status.UNKNOWN.withDescription("channel closed").asRuntimeException());
              }
            });
    var incidents = front(target.getPort());
    assertUnknown(
        catchThrowableOfType(
            StatusRuntimeException.class, () -> incidents.createIncident(titled("one"))));
  }

  /** A target that is no server of ours. */
  private Server plain(BindableService incidents) throws IOException {
    HealthStatusManager health = new HealthStatusManager();
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(incidents)
            .addService(health.getHealthService())
            .build()
            .start();
    health.setStatus(
        GrpcServer.ACCEPTING, io.grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING);
    lifetime.add(server::shutdownNow);
    return server;
  }

  @Test
  void read_thatATargetHadWhenItWasLostMayBeAskedAgain() throws Exception {
    CutCable cable = lifetime.add(new CutCable(target().port()));
    var incidents = front(cable.port());
    assertRetry(error(() -> incidents.getIncident(id("hang")), cable::close));
  }

  @Test
  void command_thatNeverReachedATargetMayBeSentAgain() throws Exception {
    int nobody;
    try (ServerSocket free = new ServerSocket(0)) {
      nobody = free.getLocalPort();
    }
    var incidents = front(nobody);
    assertRetry(
        catchThrowableOfType(
            StatusRuntimeException.class, () -> incidents.createIncident(titled("one"))));
    assertThat(arrived).isEmpty();
  }

  @Test
  void streams_inThousandsToOneTargetLeaveOtherCallsTheirWay() throws Exception {
    int many = 1_100;
    var incidents = front(target().port());
    Opened opened = new Opened();
    List<Context.CancellableContext> leave = new ArrayList<>();
    Opened kept = new Opened();
    IncidentServiceGrpc.newStub(channel)
        .streamIncidents(StreamIncidentsRequest.getDefaultInstance(), kept);
    for (int i = 0; i < many; i++) {
      Context.CancellableContext context = Context.current().withCancellation();
      leave.add(context);
      context.run(
          () ->
              IncidentServiceGrpc.newStub(channel)
                  .streamIncidents(StreamIncidentsRequest.getDefaultInstance(), opened));
    }
    await().atMost(SOON).until(() -> opened.events.get() == many);
    assertThat(incidents.getIncident(id("one"))).isNotNull();
    assertThat(meters.get("forward.streams").gauge().value()).isEqualTo(many + 1);
    // That they all leave at once is no reason to end the connection either.
    leave.forEach(context -> context.cancel(null));
    await().atMost(SOON).until(() -> meters.get("forward.streams").gauge().value() == 1);
    await().atMost(SOON).until(() -> arrived.size() == many);
    assertThat(incidents.getIncident(id("one"))).isNotNull();
    assertThat(kept.ends).isEmpty();
  }

  @Test
  void stream_beyondTheBoundIsUnavailableAndOtherCallsAreAnswered() throws Exception {
    var incidents = front(target().port(), Map.of("edge.forward-streams-max", "1"));
    Opened first = new Opened();
    Opened second = new Opened();
    var calls = IncidentServiceGrpc.newStub(channel);
    calls.streamIncidents(StreamIncidentsRequest.getDefaultInstance(), first);
    calls.streamIncidents(StreamIncidentsRequest.getDefaultInstance(), second);
    assertRetry(second.ends.poll(20, TimeUnit.SECONDS));
    assertThat(incidents.getIncident(id("one"))).isNotNull();
    assertThat(first.ends).isEmpty();
  }

  @Test
  void streams_endWithAWordWhenTheServerInFrontStops() throws Exception {
    var incidents = front(target().port());
    var calls = IncidentServiceGrpc.newStub(channel);
    Opened open = new Opened();
    calls.streamIncidents(StreamIncidentsRequest.getDefaultInstance(), open);
    await().atMost(SOON).until(() -> open.events.get() == 1);
    forwarder.endStreams();
    assertRetry(open.ends.poll(20, TimeUnit.SECONDS));
    assertThat(arrived.poll(20, TimeUnit.SECONDS)).isEqualTo("left");
    Opened late = new Opened();
    calls.streamIncidents(StreamIncidentsRequest.getDefaultInstance(), late);
    assertRetry(late.ends.poll(20, TimeUnit.SECONDS));
    assertThat(incidents.getIncident(id("one"))).isNotNull();
    assertThat(meters.get("forward.streams").gauge().value()).isZero();
  }

  @Test
  void message_thatCannotBeDecompressedIsInvalidAndEndsItsCall() throws Exception {
    var incidents = front(target().port());
    byte[] damaged = GrpcServerTest.gzip(titled("x".repeat(1_000)).toByteArray());
    damaged[damaged.length / 2] ^= 0x55;
    var created = IncidentServiceGrpc.getCreateIncidentMethod();
    var method = created.toBuilder(new Bytes(), created.getResponseMarshaller()).build();
    try (LoggedTraces traces = new LoggedTraces()) {
      for (byte[] message : new byte[][] {damaged, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}) {
        assertThat(
                catchThrowableOfType(
                        StatusRuntimeException.class,
                        () ->
                            ClientCalls.blockingUnaryCall(
                                channel, method, AsItIs.SENT_AS_GZIP, message))
                    .getStatus()
                    .getCode())
            .isEqualTo(Status.Code.INVALID_ARGUMENT);
      }
      await().atMost(SOON).until(() -> meters.get("forward.calls").gauge().value() == 0);
      assertThat(incidents.getIncident(id("one"))).isNotNull();
      assertThat(traces.seen()).isEmpty();
    }
    assertThat(arrived).isEmpty();
  }

  private static final class Opened implements StreamObserver<IncidentEvent> {
    final AtomicInteger events = new AtomicInteger();
    final BlockingQueue<StatusRuntimeException> ends = new LinkedBlockingQueue<>();

    @Override
    public void onNext(IncidentEvent event) {
      events.incrementAndGet();
    }

    @Override
    public void onError(Throwable t) {
      ends.add((StatusRuntimeException) t);
    }

    @Override
    public void onCompleted() {}
  }
}
