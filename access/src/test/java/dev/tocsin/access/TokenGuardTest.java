package dev.tocsin.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.RetryInfo;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.HealthCheckRequest;
import dev.tocsin.proto.alerts.HealthCheckResponse;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.CreateIncidentResponse;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.GetIncidentResponse;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import dev.tocsin.runtime.Caller;
import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TokenGuardTest {
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
  private final Incidents incidents = new Incidents();
  private final Alerts alerts = new Alerts();
  private TokenKeys keys = Tokens.keys();
  private Server server;
  private ManagedChannel channel;

  @BeforeEach
  void serve() throws Exception {
    TokenVerifier verifier =
        new TokenVerifier(Tokens.config(), header -> keys.select(header), Clock.systemUTC());
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService((BindableService) incidents)
            .addService((BindableService) alerts)
            .intercept(new TokenGuard(verifier, name -> true, timer, meters, Clock.systemUTC()))
            .build()
            .start();
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext().build();
  }

  @AfterEach
  void stop() throws InterruptedException {
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    server.shutdownNow().awaitTermination();
    timer.shutdownNow();
  }

  @Test
  void caller_isWhomTheTokenSays() {
    GetIncidentResponse response = incidents(token(600, "viewer")).getIncident(get());

    assertThat(response.getIncident().getTitle()).isEqualTo("shop/anna");
    assertThat(incidents.token).as("the token goes no further").isNull();
  }

  @Test
  void everythingThatIsWrongWithATokenReadsTheSame() {
    String another = Tokens.token(claims -> claims.issuer("another").expirationTime(in(600)));
    for (String header :
        new String[] {
          null, "", "Bearer", "Bearer ", "Basic abc", "Bearer x", "Bearer " + another
        }) {
      StatusRuntimeException refused = refusal(header);
      assertThat(refused.getStatus())
          .as(header)
          .matches(status -> status.getCode() == Status.Code.UNAUTHENTICATED)
          .extracting(Status::getDescription)
          .isEqualTo(TokenGuard.NOT_GOOD);
    }
    assertThat(failures("MISSING")).isEqualTo(4);
    assertThat(failures("MALFORMED")).isEqualTo(2);
    assertThat(failures("CLAIMS")).isEqualTo(1);
  }

  @Test
  void scheme_mayBeWrittenInAnyCase() {
    Metadata headers = new Metadata();
    headers.put(TokenGuard.AUTHORIZATION, "BEARER  " + token(600, "viewer"));
    assertThat(stub(headers).getIncident(get()).hasIncident()).isTrue();
  }

  @Test
  void role_thatIsMissingIsPermissionDenied_andSaysWhich() {
    StatusRuntimeException denied =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () ->
                incidents(token(600, "viewer", "producer"))
                    .createIncident(CreateIncidentRequest.getDefaultInstance()));

    assertThat(denied.getStatus().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(denied.getStatus().getDescription()).contains("responder");
    assertThat(
            incidents(token(600, "operator"))
                .createIncident(CreateIncidentRequest.getDefaultInstance())
                .hasIncident())
        .isTrue();
    assertThat(failures("ROLE")).isEqualTo(1);
  }

  @Test
  void healthCheck_isForEverybody() {
    assertThat(
            AlertIngestionGrpc.newBlockingStub(channel)
                .healthCheck(HealthCheckRequest.getDefaultInstance()))
        .isNotNull();
  }

  @Test
  void keyThatIsNotKnownYet_isUnavailable_andSaysWhenToAskAgain() {
    keys =
        header -> {
          throw new TokenKeys.NotYetException(Duration.ofSeconds(7));
        };
    StatusRuntimeException later = refusal("Bearer " + token(600, "viewer"));

    assertThat(later.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(StatusProto.fromThrowable(later).getDetailsList())
        .anySatisfy(
            detail ->
                assertThat(detail.unpack(RetryInfo.class).getRetryDelay().getSeconds())
                    .isEqualTo(7));
    assertThat(failures("KEY_UNKNOWN")).isEqualTo(1);
  }

  /** Of the minute by which clocks may differ the stream's token has two or three seconds left. */
  @Test
  void streamOfAlerts_endsWithItsToken_butItsLastAcksCome() throws Exception {
    Answers<AlertAck> acks = new Answers<>();
    StreamObserver<AlertMessage> stream =
        AlertIngestionGrpc.newStub(channel)
            .withInterceptors(
                MetadataUtils.newAttachHeadersInterceptor(bearer(token(-57, "producer"))))
            .streamAlerts(acks);
    stream.onNext(AlertMessage.newBuilder().setAlertId("one").build());
    assertThat(alerts.halfClosed.await(20, TimeUnit.SECONDS)).isTrue();
    assertThat(acks.ended).as("an ack is still owed").isEmpty();

    alerts.answerAll();
    assertThat(acks.messages.poll(10, TimeUnit.SECONDS).getAlertId()).isEqualTo("one");
    assertThat(acks.ended.poll(10, TimeUnit.SECONDS).getCode())
        .isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(failures("ENDED")).isEqualTo(1);
  }

  @Test
  void streamOfIncidents_endsWithItsToken() throws Exception {
    Answers<IncidentEvent> events = new Answers<>();
    IncidentServiceGrpc.newStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(bearer(token(-57, "viewer"))))
        .streamIncidents(StreamIncidentsRequest.getDefaultInstance(), events);
    assertThat(events.messages.poll(10, TimeUnit.SECONDS)).isNotNull();

    assertThat(events.ended.poll(20, TimeUnit.SECONDS).getCode())
        .isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(incidents.cancelled.await(10, TimeUnit.SECONDS))
        .as("the service hears of it, as of a caller who left")
        .isTrue();
  }

  /** The end of such a call cannot be sent: it would wait behind what is not read. */
  @Test
  void streamWhoseCallerReadsNothing_isOverForTheServiceAsWell() throws Exception {
    ClientCall<StreamIncidentsRequest, IncidentEvent> call =
        channel.newCall(IncidentServiceGrpc.getStreamIncidentsMethod(), CallOptions.DEFAULT);
    call.start(new ClientCall.Listener<>() {}, bearer(token(-59, "viewer")));
    call.sendMessage(StreamIncidentsRequest.newBuilder().setSource("much").build());
    call.halfClose();

    assertThat(incidents.cancelled.await(30, TimeUnit.SECONDS)).isTrue();
    call.cancel("the test is over", null);
  }

  private static String token(int seconds, String... roles) {
    return Tokens.token(
        claims -> claims.expirationTime(in(seconds)).claim("roles", List.of(roles)));
  }

  private static Date in(int seconds) {
    return Date.from(Instant.now().plusSeconds(seconds));
  }

  /** One meter a reason: no caller can make another. */
  private double failures(String reason) {
    assertThat(meters.find("tocsin.auth.failures").meters()).hasSize(AuthFailure.values().length);
    return meters.counter("tocsin.auth.failures", "reason", reason).count();
  }

  private StatusRuntimeException refusal(String header) {
    Metadata headers = new Metadata();
    if (header != null) {
      headers.put(TokenGuard.AUTHORIZATION, header);
    }
    return catchThrowableOfType(
        StatusRuntimeException.class, () -> stub(headers).getIncident(get()));
  }

  private IncidentServiceGrpc.IncidentServiceBlockingStub incidents(String token) {
    return stub(bearer(token));
  }

  private static Metadata bearer(String token) {
    Metadata headers = new Metadata();
    headers.put(TokenGuard.AUTHORIZATION, "Bearer " + token);
    return headers;
  }

  private IncidentServiceGrpc.IncidentServiceBlockingStub stub(Metadata headers) {
    return IncidentServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(20, TimeUnit.SECONDS)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  private static GetIncidentRequest get() {
    return GetIncidentRequest.getDefaultInstance();
  }

  /** What a caller hears. */
  private static final class Answers<T> implements StreamObserver<T> {
    final BlockingQueue<T> messages = new LinkedBlockingQueue<>();
    final BlockingQueue<Status> ended = new LinkedBlockingQueue<>();

    @Override
    public void onNext(T message) {
      messages.add(message);
    }

    @Override
    public void onError(Throwable error) {
      ended.add(Status.fromThrowable(error));
    }

    @Override
    public void onCompleted() {
      ended.add(Status.OK);
    }
  }

  private static final class Incidents extends IncidentServiceGrpc.IncidentServiceImplBase {
    final CountDownLatch cancelled = new CountDownLatch(1);
    volatile String token;

    @Override
    public void getIncident(GetIncidentRequest request, StreamObserver<GetIncidentResponse> reply) {
      Caller caller = Caller.current();
      reply.onNext(
          GetIncidentResponse.newBuilder()
              .setIncident(
                  Incident.newBuilder().setTitle(caller.workspace() + "/" + caller.principal()))
              .build());
      reply.onCompleted();
    }

    @Override
    public void createIncident(
        CreateIncidentRequest request, StreamObserver<CreateIncidentResponse> reply) {
      reply.onNext(
          CreateIncidentResponse.newBuilder().setIncident(Incident.getDefaultInstance()).build());
      reply.onCompleted();
    }

    @Override
    public void streamIncidents(
        StreamIncidentsRequest request, StreamObserver<IncidentEvent> reply) {
      ServerCallStreamObserver<IncidentEvent> call =
          (ServerCallStreamObserver<IncidentEvent>) reply;
      call.setOnCancelHandler(cancelled::countDown);
      call.onNext(IncidentEvent.getDefaultInstance());
      int many = request.getSource().isEmpty() ? 0 : 4_000; // of 1,000 bytes: over its window
      for (int i = 0; i < many; i++) {
        call.onNext(IncidentEvent.newBuilder().setResumeToken("x".repeat(1_000)).build());
      }
    }
  }

  private static final class Alerts extends AlertIngestionGrpc.AlertIngestionImplBase {
    final CountDownLatch halfClosed = new CountDownLatch(1);
    private final BlockingQueue<AlertMessage> taken = new LinkedBlockingQueue<>();
    private volatile StreamObserver<AlertAck> acks;

    @Override
    public void healthCheck(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
      reply.onNext(HealthCheckResponse.getDefaultInstance());
      reply.onCompleted();
    }

    @Override
    public StreamObserver<AlertMessage> streamAlerts(StreamObserver<AlertAck> reply) {
      acks = reply;
      return new StreamObserver<>() {
        @Override
        public void onNext(AlertMessage alert) {
          taken.add(alert);
        }

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {
          halfClosed.countDown();
        }
      };
    }

    void answerAll() {
      taken.forEach(
          alert -> acks.onNext(AlertAck.newBuilder().setAlertId(alert.getAlertId()).build()));
      acks.onCompleted();
    }
  }
}
