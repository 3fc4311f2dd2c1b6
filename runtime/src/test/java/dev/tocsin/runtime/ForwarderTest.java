package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import com.google.rpc.RetryInfo;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.GetIncidentResponse;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A caller, a server that forwards, and the servers that it forwards to, over real connections. */
class ForwarderTest {
  private static final GrpcServer.Config ANY_PORT =
      new GrpcServer.Config("127.0.0.1", 0, 4 << 20, 8 << 10, 4, 1_000);
  private static final String SECRET = "a secret of some length";
  private static final String GET = "incidents.IncidentService/GetIncident";
  private static final Duration SOON = Duration.ofSeconds(10);

  private final Lifetime lifetime = new Lifetime();
  private final SimpleMeterRegistry targetMeters = new SimpleMeterRegistry();
  private final BlockingQueue<Metadata> headers = new LinkedBlockingQueue<>();
  private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
  private final AtomicInteger sent = new AtomicInteger();
  private final Map<String, AtomicInteger> answered = new ConcurrentHashMap<>();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private ManagedChannel channel;
  private Caller known = Caller.ANONYMOUS;

  /** Does what an incident's id says. */
  private final class Incidents extends IncidentServiceGrpc.IncidentServiceImplBase {
    private final String name;

    Incidents(String name) {
      this.name = name;
    }

    @Override
    public void getIncident(GetIncidentRequest request, StreamObserver<GetIncidentResponse> reply) {
      answered.computeIfAbsent(name, n -> new AtomicInteger()).incrementAndGet();
      switch (request.getId()) {
        case "refuse" -> throw Errors.invalid("id", "is refused");
        case "hang" -> {
          Context context = Context.current();
          long leftMs =
              context.getDeadline() == null
                  ? -1
                  : context.getDeadline().timeRemaining(TimeUnit.MILLISECONDS);
          events.add("deadline " + (leftMs > 0 && leftMs <= 60_000));
          ((ServerCallStreamObserver<?>) reply).setOnCancelHandler(() -> events.add("cancelled"));
          context.addListener(ended -> events.add("ended"), Runnable::run);
        }
        default -> {
          Caller caller = Caller.current();
          Incident incident =
              Incident.newBuilder()
                  .setId(request.getId())
                  .setTitle(caller.workspace() + "/" + caller.principal())
                  .build();
          reply.onNext(GetIncidentResponse.newBuilder().setIncident(incident).build());
          reply.onCompleted();
        }
      }
    }

    @Override
    public void streamIncidents(
        StreamIncidentsRequest request, StreamObserver<IncidentEvent> reply) {
      ServerCallStreamObserver<IncidentEvent> call =
          (ServerCallStreamObserver<IncidentEvent>) reply;
      IncidentEvent event = IncidentEvent.newBuilder().setResumeToken("x".repeat(1_000)).build();
      call.setOnCancelHandler(() -> events.add("cancelled"));
      call.setOnReadyHandler(
          () -> {
            while (call.isReady() && sent.get() < 10_000) {
              sent.incrementAndGet();
              call.onNext(event);
            }
            if (sent.get() == 10_000 && sent.incrementAndGet() > 0) {
              call.onCompleted();
            }
          });
    }
  }

  /** Echoes; the alert "stop" is the last that it takes. */
  private final class Echo extends AlertIngestionGrpc.AlertIngestionImplBase {
    @Override
    public StreamObserver<AlertMessage> streamAlerts(StreamObserver<AlertAck> replies) {
      ServerCallStreamObserver<AlertAck> call = (ServerCallStreamObserver<AlertAck>) replies;
      call.disableAutoRequest();
      call.request(1);
      return new StreamObserver<>() {
        @Override
        public void onNext(AlertMessage alert) {
          sent.incrementAndGet();
          if (!alert.getTitle().equals("stop")) {
            replies.onNext(AlertAck.newBuilder().setAlertId(alert.getAlertId()).build());
            call.request(1);
          }
        }

        @Override
        public void onError(Throwable t) {
          events.add("error");
        }

        @Override
        public void onCompleted() {
          replies.onCompleted();
        }
      };
    }
  }

  private final class HeadersSeen implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata seen, ServerCallHandler<Q, R> next) {
      headers.add(seen);
      return next.startCall(call, seen);
    }
  }

  @AfterEach
  void close() {
    lifetime.close();
  }

  private GrpcServer target(String name, int port, Optional<CallerSeal> seal) throws IOException {
    GrpcServer.Config config = new GrpcServer.Config("127.0.0.1", port, 4 << 20, 8 << 10, 4, 1_000);
    return lifetime.add(
        new GrpcServer(config, targetMeters, new Health())
            .serve(() -> ServerInterceptors.intercept(new Incidents(name), new HeadersSeen()))
            .serve(new Echo())
            .callersBy(seal, Clock.systemUTC())
            .start());
  }

  private GrpcServer target(String name) throws IOException {
    return target(name, 0, Optional.empty());
  }

  private IncidentServiceGrpc.IncidentServiceBlockingStub front(GrpcServer... targets)
      throws IOException {
    String[] at = new String[targets.length];
    for (int i = 0; i < at.length; i++) {
      at[i] = "127.0.0.1:" + targets[i].port();
    }
    return front(Map.of("edge.forward-to", String.join(",", at)));
  }

  private IncidentServiceGrpc.IncidentServiceBlockingStub front(Map<String, String> settings)
      throws IOException {
    Forwarder forwarder =
        lifetime.add(
            new Forwarder(
                Forwarder.Config.read(Settings.of(settings), "edge"),
                List.of(
                    IncidentServiceGrpc.getServiceDescriptor(),
                    AlertIngestionGrpc.getServiceDescriptor()),
                Optional.empty(),
                meters,
                Clock.systemUTC()));
    GrpcServer server = new GrpcServer(ANY_PORT, new SimpleMeterRegistry(), new Health());
    forwarder
        .services()
        .forEach(
            service ->
                server.serveDirect(() -> ServerInterceptors.intercept(service, new KnownCaller())));
    lifetime.add(server.start());
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    lifetime.add(channel::shutdownNow);
    return IncidentServiceGrpc.newBlockingStub(channel);
  }

  private static GetIncidentRequest id(String id) {
    return GetIncidentRequest.newBuilder().setId(id).build();
  }

  private static StatusRuntimeException error(ThrowingCallable call) {
    return catchThrowableOfType(StatusRuntimeException.class, call);
  }

  private static boolean has(
      StatusRuntimeException error, Class<? extends com.google.protobuf.Message> type) {
    com.google.rpc.Status status = StatusProto.fromThrowable(error);
    return status.getDetailsList().stream().anyMatch((Any detail) -> detail.is(type));
  }

  @Test
  void call_carriesMessagesErrorsAndTheirDetails() throws Exception {
    var incidents = front(target("a"));
    assertThat(incidents.getIncident(id("one")).getIncident().getId()).isEqualTo("one");
    StatusRuntimeException refused = error(() -> incidents.getIncident(id("refuse")));
    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(refused.getStatus().getDescription()).isEqualTo("id: is refused");
    assertThat(has(refused, BadRequest.class)).isTrue();
    StatusRuntimeException none =
        error(
            () ->
                IncidentServiceGrpc.newBlockingStub(channel)
                    .updateIncident(
                        dev.tocsin.proto.incidents.UpdateIncidentRequest.getDefaultInstance()));
    assertThat(none.getStatus().getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
  }

  @Test
  void call_takesAlongWhatIsOnTheListAndNoOtherHeader() throws Exception {
    var incidents = front(target("a"));
    Metadata given = new Metadata();
    for (String name :
        List.of("traceparent", "x-request-id", "authorization", "x-mine", "te-x", "cookie")) {
      given.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), "v-" + name);
    }
    given.put(CallerSeal.HEADER, "1.claimed");
    incidents
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(given))
        .getIncident(id("one"));
    Metadata seen = headers.take();
    assertThat(seen.get(ascii("traceparent"))).isEqualTo("v-traceparent");
    assertThat(seen.get(ascii("x-request-id"))).isEqualTo("v-x-request-id");
    Set<String> names = new HashSet<>(seen.keys());
    assertThat(names)
        .doesNotContain("authorization", "x-mine", "te-x", "cookie", CallerSeal.HEADER.name());
  }

  private static Metadata.Key<String> ascii(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  @Test
  void call_ofAMethodThatNobodyKnowsIsUnimplemented() throws Exception {
    front(target("a"));
    MethodDescriptor<GetIncidentRequest, GetIncidentResponse> unknown =
        IncidentServiceGrpc.getGetIncidentMethod().toBuilder()
            .setFullMethodName("incidents.IncidentService/Unknown")
            .build();
    assertThat(
            error(
                    () ->
                        ClientCalls.blockingUnaryCall(
                            channel, unknown, CallOptions.DEFAULT, id("one")))
                .getStatus()
                .getCode())
        .isEqualTo(Status.Code.UNIMPLEMENTED);
    assertThat(headers).isEmpty();
  }

  @Test
  void stream_goesBothWaysInOrderUntilBothEnd() throws Exception {
    front(target("a"));
    BlockingQueue<String> got = new LinkedBlockingQueue<>();
    StreamObserver<AlertMessage> alerts =
        AlertIngestionGrpc.newStub(channel).streamAlerts(into(got));
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 3_000; i++) {
      alerts.onNext(AlertMessage.newBuilder().setAlertId("a" + i).build());
      expected.add("a" + i);
    }
    alerts.onCompleted();
    expected.add("completed");
    await().atMost(SOON).until(() -> got.contains("completed"));
    assertThat(got).containsExactlyElementsOf(expected);
  }

  private static StreamObserver<AlertAck> into(BlockingQueue<String> got) {
    return new StreamObserver<>() {
      @Override
      public void onNext(AlertAck ack) {
        got.add(ack.getAlertId());
      }

      @Override
      public void onError(Throwable t) {
        got.add("error " + Status.fromThrowable(t).getCode());
      }

      @Override
      public void onCompleted() {
        got.add("completed");
      }
    };
  }

  @Test
  void caller_whoDoesNotReadHoldsTheTargetUp() throws Exception {
    front(target("a"));
    AtomicInteger got = new AtomicInteger();
    BlockingQueue<Status> ends = new LinkedBlockingQueue<>();
    ManagedChannel small =
        NettyChannelBuilder.forTarget(channel.authority())
            .usePlaintext()
            .flowControlWindow(64 << 10)
            .build();
    lifetime.add(small::shutdownNow);
    ClientCall<StreamIncidentsRequest, IncidentEvent> call =
        small.newCall(IncidentServiceGrpc.getStreamIncidentsMethod(), CallOptions.DEFAULT);
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(IncidentEvent event) {
            got.incrementAndGet();
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            ends.add(status);
          }
        },
        new Metadata());
    call.sendMessage(StreamIncidentsRequest.getDefaultInstance());
    call.halfClose();
    call.request(1);
    await().atMost(SOON).until(() -> got.get() == 1);
    int held = stable(sent);
    // Of a kilobyte each: two connections' windows of 64 KiB, 32 KiB queued at each server, and a
    // few on their way.
    assertThat(held).isLessThan(250);
    call.request(20_000);
    assertThat(ends.poll(20, TimeUnit.SECONDS).isOk()).isTrue();
    assertThat(got).hasValue(10_000);
  }

  @Test
  void target_thatDoesNotReadHoldsTheCallerUp() throws Exception {
    front(target("a"));
    ClientCall<AlertMessage, AlertAck> call =
        channel.newCall(AlertIngestionGrpc.getStreamAlertsMethod(), CallOptions.DEFAULT);
    call.start(new ClientCall.Listener<>() {}, new Metadata());
    AlertMessage filler = AlertMessage.newBuilder().setDescription("x".repeat(10_000)).build();
    call.sendMessage(AlertMessage.newBuilder().setTitle("stop").build());
    await().atMost(SOON).until(() -> sent.get() == 1);
    int written = 0;
    long quietSince = System.nanoTime();
    while (System.nanoTime() - quietSince < TimeUnit.SECONDS.toNanos(1)) {
      if (call.isReady() && written < 10_000) {
        call.sendMessage(filler);
        written++;
        quietSince = System.nanoTime();
      } else {
        Thread.onSpinWait();
      }
    }
    assertThat(written).as("messages of 10 KB").isLessThan(1_000);
    call.cancel("enough", null);
  }

  /** Its value, once it has not moved for a second. */
  private static int stable(AtomicInteger counter) {
    AtomicInteger last = new AtomicInteger(-1);
    await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofSeconds(1))
        .until(() -> last.getAndSet(counter.get()) == counter.get());
    return counter.get();
  }

  @Test
  void call_takesItsDeadlineAndItsCancellationAlong() throws Exception {
    var incidents = front(target("a"));
    Context.CancellableContext context = Context.ROOT.withCancellation();
    var hanging =
        context.call(
            () ->
                IncidentServiceGrpc.newFutureStub(channel)
                    .withDeadlineAfter(Duration.ofMinutes(1))
                    .getIncident(id("hang")));
    assertThat(events.poll(10, TimeUnit.SECONDS)).isEqualTo("deadline true");
    context.cancel(null);
    List<String> told = new ArrayList<>();
    told.add(events.poll(10, TimeUnit.SECONDS));
    told.add(events.poll(10, TimeUnit.SECONDS));
    assertThat(told).containsExactlyInAnyOrder("cancelled", "ended");
    await().atMost(SOON).until(hanging::isDone);
    assertThat(
            error(() -> incidents.withDeadlineAfter(Duration.ofMillis(300)).getIncident(id("hang")))
                .getStatus()
                .getCode())
        .isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    await().atMost(SOON).until(() -> meters.get("forward.calls").gauge().value() == 0);
  }

  @Test
  void call_whileNoTargetIsThereIsUnavailableAtOnceAndWorksAgainWhenOneComes() throws Exception {
    GrpcServer only = target("a");
    var incidents = front(only);
    incidents.getIncident(id("one"));
    int port = only.port();
    only.close();
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> {
              long began = System.nanoTime();
              StatusRuntimeException away = error(() -> incidents.getIncident(id("one")));
              assertThat(away.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
              assertThat(away.getStatus().getDescription()).doesNotContain("127.0.0.1");
              assertThat(has(away, RetryInfo.class)).isTrue();
              assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(SOON);
            });
    target("a again", port, Optional.empty());
    await()
        .atMost(SOON)
        .ignoreException(StatusRuntimeException.class)
        .until(() -> incidents.getIncident(id("one")).hasIncident());
  }

  @Test
  void call_goesToEachTargetInTurnAndToNoneThatStops() throws Exception {
    GrpcServer a = target("a");
    GrpcServer b = target("b");
    var incidents = front(a, b);
    await()
        .atMost(SOON)
        .until(
            () -> {
              incidents.getIncident(id("one"));
              return answered.size() == 2;
            });
    answered.clear();
    for (int i = 0; i < 20; i++) {
      incidents.getIncident(id("one"));
    }
    assertThat(answered.get("a")).hasValue(10);
    answered.clear();
    Thread stop = new Thread(() -> closeQuietly(a));
    stop.start();
    for (int i = 0; i < 500; i++) {
      incidents.getIncident(id("one")); // not one of them fails
    }
    stop.join();
    answered.clear();
    incidents.getIncident(id("one"));
    assertThat(answered).containsOnlyKeys("b");
  }

  private static void closeQuietly(GrpcServer server) {
    try {
      server.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void server_thatStopsDoesNotWaitForWhoWatchesItsHealth() throws Exception {
    GrpcServer target = target("a");
    front(target).getIncident(id("one")); // whoever forwards watches
    long began = System.nanoTime();
    target.close();
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
  }

  @Test
  void call_beyondTheBoundIsUnavailableUntilOneEnds() throws Exception {
    GrpcServer target = target("a");
    var incidents =
        front(Map.of("edge.forward-to", "127.0.0.1:" + target.port(), "edge.forwards-max", "1"));
    var hanging = IncidentServiceGrpc.newFutureStub(channel).getIncident(id("hang"));
    events.take();
    StatusRuntimeException full = error(() -> incidents.getIncident(id("one")));
    assertThat(full.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(has(full, RetryInfo.class)).isTrue();
    hanging.cancel(true);
    await()
        .atMost(SOON)
        .ignoreException(StatusRuntimeException.class)
        .until(() -> incidents.getIncident(id("one")).hasIncident());
  }

  @Test
  void reflection_showsTheServicesAndTheirMessages() throws Exception {
    front(target("a"));
    BlockingQueue<ServerReflectionResponse> got = new LinkedBlockingQueue<>();
    StreamObserver<ServerReflectionRequest> asks =
        ServerReflectionGrpc.newStub(channel)
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerReflectionResponse response) {
                    got.add(response);
                  }

                  @Override
                  public void onError(Throwable t) {}

                  @Override
                  public void onCompleted() {}
                });
    asks.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    assertThat(got.poll(10, TimeUnit.SECONDS).getListServicesResponse().getServiceList())
        .extracting(service -> service.getName())
        .contains("incidents.IncidentService", "alerts.AlertIngestion");
    for (String symbol :
        List.of("incidents.IncidentService", "incidents.Incident", "incidents.IncidentEvent")) {
      asks.onNext(ServerReflectionRequest.newBuilder().setFileContainingSymbol(symbol).build());
      assertThat(
              got.poll(10, TimeUnit.SECONDS)
                  .getFileDescriptorResponse()
                  .getFileDescriptorProtoCount())
          .as(symbol)
          .isPositive();
    }
    asks.onCompleted();
  }

  @Test
  void reflection_isThereUnderItsOldNameToo() throws Exception {
    front(target("a"));
    var got = new LinkedBlockingQueue<io.grpc.reflection.v1alpha.ServerReflectionResponse>();
    var asks =
        io.grpc.reflection.v1alpha.ServerReflectionGrpc.newStub(channel)
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(io.grpc.reflection.v1alpha.ServerReflectionResponse response) {
                    got.add(response);
                  }

                  @Override
                  public void onError(Throwable t) {}

                  @Override
                  public void onCompleted() {}
                });
    asks.onNext(
        io.grpc.reflection.v1alpha.ServerReflectionRequest.newBuilder()
            .setFileContainingSymbol("incidents.IncidentService")
            .build());
    assertThat(
            got.poll(10, TimeUnit.SECONDS)
                .getFileDescriptorResponse()
                .getFileDescriptorProtoCount())
        .isPositive();
    asks.onCompleted();
  }

  @Test
  void caller_isWhomTheForwarderSays() throws Exception {
    GrpcServer target = target("a", 0, Optional.of(new CallerSeal(SECRET)));
    var incidents =
        front(Map.of("edge.forward-to", "127.0.0.1:" + target.port(), "forward.secret", SECRET));
    assertThat(incidents.getIncident(id("one")).getIncident().getTitle())
        .isEqualTo("default/anonymous");
    Caller anna = new Caller("w", "anna");
    assertThat(direct(target, sealed(SECRET, anna, GET)).getIncident().getTitle())
        .isEqualTo("w/anna");
    String forList = sealed(SECRET, anna, "incidents.IncidentService/ListIncidents");
    assertThat(error(() -> direct(target, forList)).getStatus().getCode())
        .isEqualTo(Status.Code.UNAUTHENTICATED);
  }

  private static String sealed(String secret, Caller caller, String method) {
    return new CallerSeal(secret).seal(caller, method, Clock.systemUTC().instant());
  }

  @Test
  void caller_isTheOneThatTheServerInFrontKnows() throws Exception {
    GrpcServer target = target("a", 0, Optional.of(new CallerSeal(SECRET)));
    Map<String, String> settings =
        Map.of("edge.forward-to", "127.0.0.1:" + target.port(), "forward.secret", SECRET);
    known = new Caller("wörk.space", "anna@example.com");
    assertThat(front(settings).getIncident(id("one")).getIncident().getTitle())
        .isEqualTo("wörk.space/anna@example.com");
  }

  /** Stands for whatever tells who calls. */
  private final class KnownCaller implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata seen, ServerCallHandler<Q, R> next) {
      return Contexts.interceptCall(known.in(Context.current()), call, seen, next);
    }
  }

  @Test
  void caller_whoCannotBeToldIsRefused() throws Exception {
    GrpcServer sealed = target("a", 0, Optional.of(new CallerSeal(SECRET)));
    String another = sealed("another secret here", Caller.ANONYMOUS, GET);
    for (String header : new String[] {null, "", "nonsense", another}) {
      assertThat(error(() -> direct(sealed, header)).getStatus().getCode())
          .as("%s", header)
          .isEqualTo(Status.Code.UNAUTHENTICATED);
    }
    assertThat(targetMeters.counter("tocsin.auth.failures", "reason", "SEAL").count()).isEqualTo(4);
    GrpcServer open = target("b");
    assertThat(direct(open, null).getIncident().getTitle()).isEqualTo("default/anonymous");
    String good = sealed(SECRET, Caller.ANONYMOUS, GET);
    assertThat(error(() -> direct(open, good)).getStatus().getCode())
        .isEqualTo(Status.Code.UNAUTHENTICATED);
  }

  private GetIncidentResponse direct(GrpcServer server, String header) throws Exception {
    ManagedChannel to =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    try {
      var unused =
          HealthGrpc.newBlockingStub(to)
              .check(HealthCheckRequest.newBuilder().setService(GrpcServer.ACCEPTING).build());
      Metadata given = new Metadata();
      if (header != null) {
        given.put(CallerSeal.HEADER, header);
      }
      return IncidentServiceGrpc.newBlockingStub(to)
          .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(given))
          .getIncident(id("one"));
    } finally {
      to.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  @Test
  void config_tellsEachFault() {
    Settings settings =
        Settings.of(
            Map.of("edge.forward-to", "a:1,b,:2,c:0,d:70000,a:1", "edge.forwards-max", "0"));
    assertThat(Forwarder.Config.read(settings, "edge").targets()).isNotEmpty();
    assertThatThrownBy(settings::check)
        .message()
        .satisfies(
            told ->
                assertThat(told.lines())
                    .containsExactlyInAnyOrder(
                        "edge.forward-to: 'b' is not HOST:PORT",
                        "edge.forward-to: ':2' is not HOST:PORT",
                        "edge.forward-to: 'c:0' is not HOST:PORT",
                        "edge.forward-to: 'd:70000' is not HOST:PORT",
                        "edge.forward-to: names a:1 twice",
                        "edge.forwards-max: must be a whole number from 1 to 1000000, not '0'"));
  }
}
