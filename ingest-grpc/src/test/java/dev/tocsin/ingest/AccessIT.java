package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.rpc.RetryInfo;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertBatch;
import dev.tocsin.proto.alerts.AlertBatchAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.HealthCheckRequest;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.Settings;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An edge that asks who calls, as a whole: its port, its log, its metrics. */
@Timeout(120)
final class AccessIT {
  private static final String SECRET = "0123456789abcdef0123456789abcdef";

  @TempDir Path folder;
  private final Lifetime lifetime = new Lifetime();
  private final String prefix = "t" + UUID.randomUUID();
  private EdgeApp edge;
  private ManagedChannel channel;

  @AfterEach
  void close() {
    lifetime.close();
  }

  @Test
  void alerts_areTakenFromProducersOnly_intoTheirWorkspace() throws Exception {
    open(Map.of());

    assertThat(refusal("")).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(refusal(token("anna", 600, "viewer", "operator")))
        .isEqualTo(Status.Code.PERMISSION_DENIED);
    AlertAck ack = calls(token("anna", 600, "producer")).submitAlert(Alerts.alert("a").build());
    assertThat(ack.getStatus()).isEqualTo(AlertAck.Status.ACCEPTED);
    assertThat(EdgeFixture.log(SharedBroker.bootstrap(), prefix))
        .singleElement()
        .satisfies(logged -> assertThat(logged.alert().getWorkspace()).isEqualTo("shop"));
    assertThat(
            AlertIngestionGrpc.newBlockingStub(channel)
                .healthCheck(HealthCheckRequest.getDefaultInstance())
                .getVersion())
        .as("health is for everybody")
        .isNotEmpty();
  }

  @Test
  void stream_endsWithItsToken_afterItsLastAcks() throws Exception {
    open(Map.of());
    Acked acked = stream(token("anna", -56, "producer")); // a minute of skew is allowed
    acked.alerts.onNext(Alerts.alert("last").build());

    assertThat(acked.ended.get(30, TimeUnit.SECONDS).getCode())
        .isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(acked.acks)
        .singleElement()
        .satisfies(ack -> assertThat(ack.getStatus()).isEqualTo(AlertAck.Status.ACCEPTED));
    assertThat(metric("tocsin_auth_failures_total{reason=\"ENDED\"}")).isEqualTo(1);
  }

  @Test
  void quota_isHeldByEachAlertOfAStream_whichStaysOpen_andByUnaryCalls() throws Exception {
    open(Map.of("limits.alerts-per-second", "1", "limits.alerts-burst", "50"));
    Acked acked = stream(token("anna", 600, "producer"));
    for (int i = 0; i < 500; i++) {
      acked.alerts.onNext(Alerts.alert("a-" + i).build());
    }
    acked.alerts.onCompleted();

    assertThat(acked.ended.get(60, TimeUnit.SECONDS).isOk()).isTrue();
    assertThat(acked.acks).hasSize(500);
    List<AlertAck> limited =
        acked.acks.stream().filter(a -> a.getStatus() == AlertAck.Status.RATE_LIMITED).toList();
    assertThat(limited)
        .hasSizeBetween(400, 450)
        .allSatisfy(
            ack ->
                assertThat(ack.getRetryAfter().getSeconds() * 1e9 + ack.getRetryAfter().getNanos())
                    .isBetween(1.0, 1e9));
    StatusRuntimeException over =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> {
              for (int i = 0; i < 10; i++) {
                calls(token("anna", 600, "producer")).submitAlert(Alerts.alert("b" + i).build());
              }
            });
    assertThat(over.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(StatusProto.fromThrowable(over).getDetailsList())
        .anyMatch(detail -> detail.is(RetryInfo.class));
    assertThat(
            calls(token("bert", 600, "producer"))
                .submitAlert(Alerts.alert("c").build())
                .getStatus())
        .as("others have their own")
        .isEqualTo(AlertAck.Status.ACCEPTED);
    assertThat(metric("tocsin_edge_refusals_total{reason=\"RATE_LIMITED\"}"))
        .isGreaterThan(limited.size());
  }

  @Test
  void batchWithAFault_costsWhatItsAlertsWould() throws Exception {
    open(Map.of("limits.alerts-per-second", "1", "limits.alerts-burst", "50"));
    AlertBatch.Builder batch =
        AlertBatch.newBuilder().setBatchId("x".repeat(AlertValidator.BATCH_ID_MAX + 1));
    for (int i = 0; i < 60; i++) {
      batch.addAlerts(Alerts.alert("a-" + i));
    }
    String token = token("anna", 600, "producer");

    StatusRuntimeException faulty =
        catchThrowableOfType(
            StatusRuntimeException.class, () -> calls(token).submitAlerts(batch.build()));

    assertThat(faulty.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    AlertBatchAck after = calls(token).submitAlerts(batch.setBatchId("good").build());
    assertThat(after.getAcksList())
        .filteredOn(ack -> ack.getStatus() == AlertAck.Status.RATE_LIMITED)
        .hasSizeGreaterThan(40);
  }

  @Test
  void tooManyStreams_areRefused_untilOneEnds() throws Exception {
    open(Map.of("edge.streams-max", "2", "edge.principal-streams-max", "2"));
    String token = token("anna", 600, "producer");
    Acked first = stream(token);
    Acked second = stream(token);
    for (Acked open : List.of(first, second)) {
      open.alerts.onNext(Alerts.alert("a").build());
      await().until(() -> open.acks.size() == 1);
    }

    Acked third = stream(token);

    assertThat(third.ended.get(30, TimeUnit.SECONDS).getCode())
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    first.alerts.onCompleted();
    assertThat(first.ended.get(30, TimeUnit.SECONDS).isOk()).isTrue();
    Acked next = stream(token);
    next.alerts.onNext(Alerts.alert("b").build());
    await().until(() -> next.acks.size() == 1);
    assertThat(second.ended).isNotDone();
  }

  @Test
  void streamsOfOneCaller_leaveRoomForOthers() throws Exception {
    open(Map.of("edge.principal-streams-max", "1"));
    String anna = token("anna", 600, "producer");
    Acked first = stream(anna);
    first.alerts.onNext(Alerts.alert("a").build());
    await().until(() -> first.acks.size() == 1);

    Acked second = stream(anna);

    Status refused = second.ended.get(30, TimeUnit.SECONDS);
    assertThat(refused.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(refused.getDescription()).isEqualTo("this caller has too many streams open, 1");
    Acked other = stream(token("ben", 600, "producer"));
    other.alerts.onNext(Alerts.alert("b").build());
    await().until(() -> other.acks.size() == 1);
    first.alerts.onCompleted();
    assertThat(first.ended.get(30, TimeUnit.SECONDS).isOk()).isTrue();
    Acked next = stream(anna);
    next.alerts.onNext(Alerts.alert("c").build());
    await().until(() -> next.acks.size() == 1);
  }

  @Test
  void series_doNotGrowWithCallers() throws Exception {
    open(Map.of("limits.alerts-per-second", "1"));
    calls(token("first", 600, "producer")).submitAlert(Alerts.alert("a").build());
    refusal("nonsense");
    int before = metrics().size();
    for (int i = 0; i < 100; i++) {
      calls(token("p" + i, 600, "producer"))
          .submitAlert(Alerts.alert("a" + i).setSource("s" + i).build());
      refusal("nonsense " + i);
    }
    assertThat(metrics()).hasSize(before);
  }

  private void open(Map<String, String> more) throws Exception {
    EdgeFixture.createLog(
        SharedBroker.bootstrap(), prefix, Map.of("max.message.bytes", Integer.toString(6 << 20)));
    Path secret = Files.writeString(folder.resolve("secret"), SECRET);
    Map<String, String> settings = new TreeMap<>(more);
    settings.putAll(
        Map.of(
            "edge.port", "0",
            "edge.ops-port", "0",
            "log.prefix", prefix,
            "kafka.bootstrap.servers", SharedBroker.bootstrap(),
            "auth.algorithm", "HS256",
            "auth.secret-file", secret.toString(),
            "auth.issuer", "it",
            "auth.audience", "tocsin"));
    edge = lifetime.add(new EdgeApp(EdgeApp.Config.read(Settings.of(settings))));
    edge.start();
    channel = NettyChannelBuilder.forAddress("127.0.0.1", edge.port()).usePlaintext().build();
    lifetime.add(channel::shutdownNow);
    HealthGrpc.HealthBlockingStub health = HealthGrpc.newBlockingStub(channel);
    await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                health.check(io.grpc.health.v1.HealthCheckRequest.getDefaultInstance()).getStatus()
                    == ServingStatus.SERVING);
  }

  private static String token(String subject, int seconds, String... roles) throws JOSEException {
    SignedJWT token =
        new SignedJWT(
            new JWSHeader(JWSAlgorithm.HS256),
            new JWTClaimsSet.Builder()
                .issuer("it")
                .audience("tocsin")
                .subject(subject)
                .claim("workspace", "shop")
                .claim("roles", List.of(roles))
                .expirationTime(Date.from(Instant.now().plusSeconds(seconds)))
                .build());
    token.sign(new MACSigner(SECRET));
    return token.serialize();
  }

  private static Metadata bearer(String token) {
    Metadata headers = new Metadata();
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
    return headers;
  }

  private AlertIngestionGrpc.AlertIngestionBlockingStub calls(String token) {
    return AlertIngestionGrpc.newBlockingStub(channel)
        .withDeadlineAfter(30, TimeUnit.SECONDS)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(bearer(token)));
  }

  private Status.Code refusal(String token) {
    return catchThrowableOfType(
            StatusRuntimeException.class,
            () -> calls(token).submitAlert(Alerts.alert("refused").build()))
        .getStatus()
        .getCode();
  }

  /** A stream, what it was answered, and how it ended. */
  private static final class Acked implements StreamObserver<AlertAck> {
    final List<AlertAck> acks = new ArrayList<>();
    final CompletableFuture<Status> ended = new CompletableFuture<>();
    StreamObserver<AlertMessage> alerts;

    @Override
    public void onNext(AlertAck ack) {
      acks.add(ack);
    }

    @Override
    public void onError(Throwable error) {
      ended.complete(Status.fromThrowable(error));
    }

    @Override
    public void onCompleted() {
      ended.complete(Status.OK);
    }
  }

  private Acked stream(String token) {
    Acked acked = new Acked();
    acked.alerts =
        AlertIngestionGrpc.newStub(channel)
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(bearer(token)))
            .streamAlerts(acked);
    return acked;
  }

  private double metric(String series) throws IOException, InterruptedException {
    return metrics().stream()
        .filter(line -> line.startsWith(series + " "))
        .map(line -> Double.valueOf(line.substring(series.length() + 1)))
        .findFirst()
        .orElseThrow();
  }

  private List<String> metrics() throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/metrics".formatted(edge.opsPort())))
            .build();
    return HttpClient.newHttpClient()
        .send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8))
        .body()
        .lines()
        .filter(line -> !line.startsWith("#"))
        .toList();
  }
}
