package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.RetryInfo;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GrpcServerTest {
  private static final GrpcServer.Config CONFIG =
      new GrpcServer.Config("127.0.0.1", 0, 64 << 10, 8 << 10, 2, 1_000);

  private final Lifetime lifetime = new Lifetime();
  private final PrometheusMeterRegistry meters =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Health health = new Health();
  private final CountDownLatch release = new CountDownLatch(1);
  private final BlockingQueue<String> threads = new LinkedBlockingQueue<>();
  private final CompletableFuture<StreamObserver<AlertAck>> stream = new CompletableFuture<>();
  private final BlockingQueue<String> streamEvents = new LinkedBlockingQueue<>();
  private ManagedChannel channel;

  /** Does what an alert's title says. */
  private final class Alerts extends AlertIngestionGrpc.AlertIngestionImplBase {
    @Override
    public void submitAlert(AlertMessage alert, StreamObserver<AlertAck> replies) {
      threads.add(Thread.currentThread().getName());
      switch (alert.getTitle()) {
        case "throw" -> throw new IllegalArgumentException("a secret");
        case "refuse" -> throw Errors.invalid("title", "is refused");
        case "wait" -> awaitRelease();
        default -> {}
      }
      replies.onNext(AlertAck.newBuilder().setAlertId(alert.getAlertId()).build());
      replies.onCompleted();
    }

    @Override
    public StreamObserver<AlertMessage> streamAlerts(StreamObserver<AlertAck> replies) {
      ((ServerCallStreamObserver<AlertAck>) replies)
          .setOnCancelHandler(() -> streamEvents.add("cancelled"));
      stream.complete(replies);
      return new StreamObserver<>() {
        @Override
        public void onNext(AlertMessage alert) {
          streamEvents.add(alert.getTitle());
          if (alert.getTitle().equals("throw")) {
            throw new IllegalStateException("a secret");
          }
        }

        @Override
        public void onError(Throwable t) {
          streamEvents.add("error");
        }

        @Override
        public void onCompleted() {
          streamEvents.add("completed");
          replies.onCompleted();
        }
      };
    }
  }

  private void awaitRelease() {
    try {
      release.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private AlertIngestionGrpc.AlertIngestionBlockingStub serve() throws IOException {
    return serve(new GrpcServer(CONFIG, meters, health).serve(new Alerts()));
  }

  private AlertIngestionGrpc.AlertIngestionBlockingStub serve(GrpcServer server)
      throws IOException {
    lifetime.add(server).start();
    channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port())
            .usePlaintext()
            .compressorRegistry(AsItIs.registry())
            .build();
    lifetime.add(channel::shutdownNow);
    return AlertIngestionGrpc.newBlockingStub(channel);
  }

  @AfterEach
  void close() {
    release.countDown();
    lifetime.close();
  }

  private static AlertMessage alert(String title) {
    return AlertMessage.newBuilder().setTitle(title).build();
  }

  private static StatusRuntimeException error(ThrowingCallable call) {
    return catchThrowableOfType(StatusRuntimeException.class, call);
  }

  private static MethodDescriptor<byte[], AlertAck> raw(
      MethodDescriptor<AlertMessage, AlertAck> method) {
    return method.toBuilder(new Bytes(), method.getResponseMarshaller()).build();
  }

  private record Bytes() implements Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      throw new UnsupportedOperationException("a client reads no requests");
    }
  }

  @Test
  void calls_areCountedAndTimedByMethodAndCode() throws IOException {
    var alerts = serve();
    alerts.submitAlert(alert("fine"));
    error(() -> alerts.submitAlert(alert("refuse")));
    assertThat(meters.scrape())
        .contains(
            "grpc_requests_total{method=\"alerts.AlertIngestion/SubmitAlert\"} 2.0",
            "grpc_request_duration_seconds_count{code=\"OK\",method=\"alerts.AlertIngestion/SubmitAlert\"} 1",
            "grpc_request_duration_seconds_bucket{code=\"OK\",method=\"alerts.AlertIngestion/SubmitAlert\",le=\"+Inf\"} 1",
            "grpc_errors_total{code=\"INVALID_ARGUMENT\",method=\"alerts.AlertIngestion/SubmitAlert\"} 1.0")
        .doesNotContain("grpc_errors_total{code=\"OK\"");
  }

  @Test
  void methodsThatAreNotThere_areUnimplementedAndMakeNoSeries() throws IOException {
    serve();
    MethodDescriptor<AlertMessage, AlertAck> absent =
        AlertIngestionGrpc.getSubmitAlertMethod().toBuilder()
            .setFullMethodName("alerts.AlertIngestion/Absent")
            .build();
    StatusRuntimeException error =
        error(() -> ClientCalls.blockingUnaryCall(channel, absent, CallOptions.DEFAULT, alert("")));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
    assertThat(meters.scrape()).doesNotContain("Absent");
  }

  @Test
  void handler_thatThrowsEndsItsCallInternalAndTellsNoMore() throws IOException {
    var alerts = serve();
    StatusRuntimeException error = error(() -> alerts.submitAlert(alert("throw")));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
    assertThat(error.getStatus().getDescription()).isEqualTo("internal error");
    assertThat(error.getTrailers().toString()).doesNotContain("secret");
    assertThat(alerts.submitAlert(alert("fine"))).isNotNull();
  }

  @Test
  void handler_thatThrowsAStatusEndsItsCallWithItAndItsDetails() throws IOException {
    var alerts = serve();
    StatusRuntimeException error = error(() -> alerts.submitAlert(alert("refuse")));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(StatusProto.fromThrowable(error).getDetailsCount()).isEqualTo(1);
  }

  @Test
  void streamHandler_thatThrowsHearsThatItIsCancelledAndNoMore() throws Exception {
    serve();
    Replies replies = new Replies();
    var requests = AlertIngestionGrpc.newStub(channel).streamAlerts(replies);
    requests.onNext(alert("throw"));
    requests.onNext(alert("after"));
    requests.onCompleted();
    assertThat(replies.error.get(5, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.INTERNAL);
    assertThat(streamEvents.poll(5, TimeUnit.SECONDS)).isEqualTo("throw");
    assertThat(streamEvents.poll(5, TimeUnit.SECONDS)).isEqualTo("cancelled");
    assertThat(streamEvents.poll(5, TimeUnit.SECONDS)).isEqualTo("error");
    assertThat(streamEvents).isEmpty();
  }

  @Test
  void message_thatCannotBeParsedIsInvalid() throws IOException {
    serve();
    for (byte[] message :
        new byte[][] {{0x0a}, {0x0a, 0x7f}, {(byte) 0xff}, {0x0a, 1, (byte) 0x80}}) {
      StatusRuntimeException error =
          error(
              () ->
                  ClientCalls.blockingUnaryCall(
                      channel,
                      raw(AlertIngestionGrpc.getSubmitAlertMethod()),
                      CallOptions.DEFAULT,
                      message));
      assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(error.getStatus().getDescription()).startsWith("the message cannot be parsed");
    }
    assertThat(threads).isEmpty();
    assertThat(meters.scrape()).contains("grpc_errors_total{code=\"INVALID_ARGUMENT\"");
  }

  @Test
  void message_thatCannotBeParsedEndsAStreamAndItsHandlersRepliesGoNowhere() throws Exception {
    serve();
    Replies replies = new Replies();
    var requests =
        ClientCalls.asyncBidiStreamingCall(
            channel.newCall(raw(AlertIngestionGrpc.getStreamAlertsMethod()), CallOptions.DEFAULT),
            replies);
    requests.onNext(alert("first").toByteArray());
    requests.onNext(new byte[] {0x0a});
    requests.onNext(alert("after").toByteArray());
    assertThat(replies.error.get(5, TimeUnit.SECONDS).getCode())
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(streamEvents.poll(5, TimeUnit.SECONDS)).isEqualTo("first");
    assertThat(streamEvents.poll(5, TimeUnit.SECONDS)).isEqualTo("cancelled");
    assertThat(streamEvents.poll(5, TimeUnit.SECONDS)).isEqualTo("error");
    // An answer that is late, from whatever thread, finds the call cancelled and fails nobody.
    var late = (ServerCallStreamObserver<AlertAck>) stream.get();
    assertThat(late.isCancelled()).isTrue();
    late.onNext(AlertAck.getDefaultInstance());
    late.onCompleted();
    assertThat(streamEvents).isEmpty();
  }

  @Test
  void message_thatIsNoGzipThoughItSaysSoIsInvalid() throws Exception {
    serve();
    byte[] whole = gzip(alert("x".repeat(1_000)).toByteArray());
    byte[] damaged = whole.clone();
    damaged[whole.length / 2] ^= 0x55;
    byte[] cut = Arrays.copyOf(whole, whole.length - 4);
    byte[] noGzip = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    try (LoggedTraces traces = new LoggedTraces()) {
      for (byte[] message : new byte[][] {damaged, cut, noGzip}) {
        StatusRuntimeException error = error(() -> sendCompressed(message));
        assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      }
      assertThat(traces.seen()).isEmpty();
    }
    assertThat(threads).isEmpty();
    assertThat(sendCompressed(whole)).isNotNull();
  }

  private AlertAck sendCompressed(byte[] message) {
    return ClientCalls.blockingUnaryCall(
        channel, raw(AlertIngestionGrpc.getSubmitAlertMethod()), AsItIs.SENT_AS_GZIP, message);
  }

  static byte[] gzip(byte[] plain) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(plain);
    }
    return packed.toByteArray();
  }

  @Test
  void message_overTheLimitIsExhausted() throws IOException {
    var alerts = serve();
    StatusRuntimeException error = error(() -> alerts.submitAlert(alert("x".repeat(65 << 10))));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
  }

  @Test
  void directServices_stayOnTheTransportsThreadAndOthersDoNot() throws Exception {
    serve().submitAlert(alert("fine"));
    assertThat(threads.poll(5, TimeUnit.SECONDS)).isEqualTo("grpc-call");
    serve(new GrpcServer(CONFIG, meters, health).serveDirect(new Alerts()))
        .submitAlert(alert("fine"));
    assertThat(threads.poll(5, TimeUnit.SECONDS)).isNotEqualTo("grpc-call");
  }

  @Test
  void callsBeyondTheQueue_areUnavailableAndTheOthersAreServed() throws Exception {
    GrpcServer server = new GrpcServer(CONFIG, meters, health).serve(new Alerts());
    serve(server);
    List<Future<AlertAck>> calls = new ArrayList<>();
    List<ManagedChannel> channels = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      ManagedChannel one =
          NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
      lifetime.add(one::shutdownNow);
      channels.add(one);
    }
    // A connection carries a thousand calls: so many as do not fit into threads and queue.
    int over = 500;
    for (int i = 0; i < CallPool.QUEUE_MAX + over; i++) {
      calls.add(
          AlertIngestionGrpc.newFutureStub(channels.get(i % channels.size()))
              .submitAlert(alert("wait")));
    }
    // The refused are answered while all threads are taken; so is a health check.
    StatusRuntimeException refused = firstFailure(calls);
    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(StatusProto.fromThrowable(refused).getDetails(0).is(RetryInfo.class)).isTrue();
    assertThat(
            HealthGrpc.newBlockingStub(channel)
                .withDeadlineAfter(5, TimeUnit.SECONDS)
                .check(HealthCheckRequest.getDefaultInstance())
                .getStatus())
        .isEqualTo(ServingStatus.SERVING);
    release.countDown();
    int served = 0;
    for (Future<AlertAck> call : calls) {
      served += served(call) ? 1 : 0;
    }
    assertThat(served).isBetween(CallPool.QUEUE_MAX - over, CallPool.QUEUE_MAX + over - 1);
  }

  private static StatusRuntimeException firstFailure(List<Future<AlertAck>> calls)
      throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (System.nanoTime() < end) {
      for (Future<AlertAck> call : calls) {
        if (call.isDone()) {
          return catchThrowableOfType(ExecutionException.class, call::get).getCause()
                  instanceof StatusRuntimeException failure
              ? failure
              : null;
        }
      }
    }
    throw new AssertionError("no call was refused");
  }

  private static boolean served(Future<AlertAck> call) throws Exception {
    try {
      call.get(20, TimeUnit.SECONDS);
      return true;
    } catch (ExecutionException e) {
      assertThat(((StatusRuntimeException) e.getCause()).getStatus().getCode())
          .isEqualTo(Status.Code.UNAVAILABLE);
      return false;
    }
  }

  @Test
  void health_isPublishedForAllAndForEachService() throws IOException {
    health.require("owners");
    serve();
    var checks = HealthGrpc.newBlockingStub(channel);
    var one = HealthCheckRequest.newBuilder().setService("alerts.AlertIngestion").build();
    assertThat(checks.check(HealthCheckRequest.getDefaultInstance()).getStatus())
        .isEqualTo(ServingStatus.NOT_SERVING);
    assertThat(checks.check(one).getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
    health.met("owners");
    assertThat(checks.check(one).getStatus()).isEqualTo(ServingStatus.SERVING);
  }

  @Test
  void config_refusesToBeOpenToAllUnlessToldSo() {
    Settings open = Settings.of(Map.of("edge.host", "0.0.0.0"));
    GrpcServer.Config.read(open, "edge", 9000);
    assertThatThrownBy(open::check).hasMessageContaining("set edge.open=true");
    Settings meant = Settings.of(Map.of("edge.host", "0.0.0.0", "edge.open", "true"));
    assertThat(GrpcServer.Config.read(meant, "edge", 9000))
        .isEqualTo(new GrpcServer.Config("0.0.0.0", 9000, 4 << 20, 8 << 10, 8, 1_000));
    meant.check();
  }

  @Test
  void config_letsOurOwnServersHaveAsManyCallsAsTheyMayForward() {
    Settings none = Settings.of(Map.of());
    int forwardsMax = 1_000_000;
    assertThat(GrpcServer.Config.readInternal(none, "query", 9000).connectionCallsMax())
        .isEqualTo(forwardsMax);
    Settings told = Settings.of(Map.of("query.connection-calls-max", "7"));
    assertThat(GrpcServer.Config.readInternal(told, "query", 9000).connectionCallsMax())
        .isEqualTo(7);
    told.check();
  }

  @Test
  void start_whereThePortIsTakenIsAnError() throws Exception {
    try (GrpcServer first = new GrpcServer(CONFIG, meters, health).start()) {
      GrpcServer.Config taken =
          new GrpcServer.Config("127.0.0.1", first.port(), 1 << 20, 8 << 10, 1, 1_000);
      try (GrpcServer second = new GrpcServer(taken, meters, health)) {
        assertThatThrownBy(second::start).isInstanceOf(IOException.class);
      }
    }
  }

  private static final class Replies implements StreamObserver<AlertAck> {
    final CompletableFuture<Status> error = new CompletableFuture<>();

    @Override
    public void onNext(AlertAck ack) {}

    @Override
    public void onError(Throwable t) {
      error.complete(Status.fromThrowable(t));
    }

    @Override
    public void onCompleted() {
      error.complete(Status.OK);
    }
  }
}
