package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Timestamp;
import com.google.rpc.BadRequest;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertBatch;
import dev.tocsin.proto.alerts.AlertBatchAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.FieldViolation;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.CallOptions;
import io.grpc.Codec;
import io.grpc.CompressorRegistry;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Callers that send what is wrong, or do not do their part. None of it may touch another. */
final class FaultsIT {
  private static final byte[] GARBAGE = {(byte) 0xFF, (byte) 0xFF, 1, 2, 3};
  private static final int FIVE_MIB = 5 << 20;

  private static EdgeFixture edge;

  @BeforeAll
  static void open() throws Exception {
    edge = EdgeFixture.serving(SharedBroker.bootstrap(), Map.of());
  }

  @AfterAll
  static void close() {
    edge.close();
  }

  @AfterEach
  void nothingStaysInFlightAndOthersAreServed() {
    Awaitility.await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> edge.gauge("tocsin.edge.in.flight.alerts") == 0);
    assertThat(edge.gauge("tocsin.edge.in.flight.bytes")).isZero();
    assertThat(edge.calls().submitAlert(Alerts.alert("after").build()).getStatus())
        .isEqualTo(AlertAck.Status.ACCEPTED);
  }

  @Test
  void malformedUnaryMessage_endsWithInvalidArgument() {
    StatusRuntimeException error =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () ->
                ClientCalls.blockingUnaryCall(
                    edge.channel,
                    raw(AlertIngestionGrpc.getSubmitAlertMethod()),
                    CallOptions.DEFAULT.withDeadlineAfter(10, TimeUnit.SECONDS),
                    GARBAGE));

    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void malformedMessageOfAStream_endsItWithInvalidArgumentAndKeepsWhatCameBefore() {
    Acks<byte[], byte[]> acks = new Acks<>(true);
    var requests = rawStream(acks);
    for (int i = 0; i < 100; i++) {
      requests.onNext(Alerts.alert("before-garbage-" + i).build().toByteArray());
    }
    requests.onNext(GARBAGE);

    assertThat(acks.awaitEnd().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    Awaitility.await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> edge.logged("before-garbage-99").isPresent());
  }

  @Test
  void messageOverTheSizeLimit_endsTheCall() {
    AlertMessage large = Alerts.alert("large").setDescription("x".repeat(FIVE_MIB)).build();

    StatusRuntimeException unary =
        catchThrowableOfType(StatusRuntimeException.class, () -> edge.calls().submitAlert(large));
    Acks<AlertMessage, AlertAck> first = new Acks<>(true);
    edge.streams().streamAlerts(first).onNext(large);
    Acks<AlertMessage, AlertAck> later = new Acks<>(true);
    var requests = edge.streams().streamAlerts(later);
    requests.onNext(Alerts.alert("before-large").build());
    later.awaitReceived(1);
    requests.onNext(large);

    assertThat(unary.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(first.awaitEnd().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(later.awaitEnd().getCode())
        .isIn(Status.Code.RESOURCE_EXHAUSTED, Status.Code.CANCELLED);
    assertThat(later.received).extracting(AlertAck::getAlertId).containsExactly("before-large");
  }

  @Test
  void unknownMethod_isUnimplemented() {
    MethodDescriptor<byte[], byte[]> unknown =
        raw(AlertIngestionGrpc.getSubmitAlertMethod()).toBuilder()
            .setFullMethodName("alerts.AlertIngestion/SubmitNothing")
            .build();

    StatusRuntimeException error =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () ->
                ClientCalls.blockingUnaryCall(
                    edge.channel, unknown, CallOptions.DEFAULT, new byte[0]));

    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
  }

  @Test
  void unknownEncoding_isUnimplemented() throws InterruptedException {
    CompressorRegistry compressors = CompressorRegistry.newEmptyInstance();
    compressors.register(new UnknownCodec());
    ManagedChannel channel =
        ManagedChannelBuilder.forAddress("127.0.0.1", edge.server.port())
            .usePlaintext()
            .compressorRegistry(compressors)
            .build();
    try {
      StatusRuntimeException error =
          catchThrowableOfType(
              StatusRuntimeException.class,
              () ->
                  AlertIngestionGrpc.newBlockingStub(channel)
                      .withCompression("unknown")
                      .submitAlert(Alerts.alert("packed").build()));

      assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  @Test
  void invalidUnaryAlert_isRefusedWithEveryViolation() throws Exception {
    AlertMessage.Builder bad = Alerts.alert("bad").setTitle("").setSeverityValue(77);
    for (int i = 0; i < 10_000; i++) {
      bad.putLabels("k" + i, "\0");
    }

    StatusRuntimeException error =
        catchThrowableOfType(
            StatusRuntimeException.class, () -> edge.calls().submitAlert(bad.build()));

    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    BadRequest details = StatusProto.fromThrowable(error).getDetails(0).unpack(BadRequest.class);
    assertThat(details.getFieldViolationsList())
        .extracting(BadRequest.FieldViolation::getField)
        .startsWith("title", "severity", "labels")
        .hasSizeGreaterThan(20);
  }

  @Test
  void invalidAlertsOfAStream_areRejectedAndTheirNeighboursAccepted() {
    Acks<AlertMessage, AlertAck> acks = new Acks<>(true);
    var requests = edge.streams().streamAlerts(acks);
    AlertMessage.Builder many = Alerts.alert("bad-labels");
    for (int i = 0; i < 10_000; i++) {
      many.putLabels("k" + i, "v");
    }
    requests.onNext(Alerts.of("good-1", 1));
    requests.onNext(Alerts.alert("bad-title").setTitle("").build());
    requests.onNext(Alerts.alert("bad-source").setSource("").build());
    requests.onNext(many.build());
    requests.onNext(Alerts.alert("bad-nul").setDescription("\0").build());
    requests.onNext(Alerts.alert("bad-enum").setTypeValue(8).build());
    requests.onNext(Alerts.alert("bad-text").setDescription("x".repeat(20_000)).build());
    requests.onNext(Alerts.alert("bad-9999").setFiredAt(at("9999-01-01T00:00:00Z")).build());
    requests.onNext(Alerts.alert("bad-1970").setFiredAt(at("1970-01-01T00:00:00Z")).build());
    requests.onNext(Alerts.alert("bad-past").setFiredAt(at("0001-01-01T00:00:00Z")).build());
    requests.onNext(Alerts.of("good-2", 2));
    requests.onCompleted();

    assertThat(acks.awaitEnd()).isEqualTo(Status.OK);
    Map<String, AlertAck> byId =
        acks.received.stream().collect(Collectors.toMap(AlertAck::getAlertId, a -> a));
    assertThat(byId).hasSize(11);
    byId.forEach(
        (id, ack) ->
            assertThat(ack.getStatus())
                .as(id)
                .isEqualTo(
                    id.startsWith("good-") ? AlertAck.Status.ACCEPTED : AlertAck.Status.REJECTED));
    assertThat(byId.get("bad-title").getViolationsList())
        .extracting(FieldViolation::getField)
        .containsExactly("title");
    assertThat(byId.get("bad-9999").getViolationsList())
        .extracting(FieldViolation::getField)
        .containsExactly("fired_at");
    assertThat(edge.log()).noneMatch(l -> l.alert().getAlertId().startsWith("bad-"));
  }

  @Test
  void alertLargerThanTheLogTakes_isRejected() {
    AlertMessage.Builder labels = Alerts.alert("mib-of-labels").clearLabels();
    for (int i = 0; i < 1024; i++) {
      labels.putLabels("k" + i, "x".repeat(1024));
    }
    AlertMessage.Builder each = Alerts.alert("each-field-is-fine");
    for (int i = 0; i < 40; i++) {
      each.putAnnotations("k" + i, "x".repeat(8192));
    }
    AlertBatch batch =
        AlertBatch.newBuilder()
            .addAlerts(labels)
            .addAlerts(each)
            .addAlerts(Alerts.alert("fine"))
            .build();

    AlertBatchAck ack = edge.calls().submitAlerts(batch);

    assertThat(ack.getAcksList())
        .extracting(AlertAck::getStatus)
        .containsExactly(
            AlertAck.Status.REJECTED, AlertAck.Status.REJECTED, AlertAck.Status.ACCEPTED);
    assertThat(ack.getAcks(1).getViolationsList())
        .extracting(FieldViolation::getField)
        .containsExactly("alert");
  }

  @Test
  void batchOfTooMany_isRefusedAsAWhole() {
    AlertBatch.Builder batch = AlertBatch.newBuilder().setBatchId("too-many");
    for (int i = 0; i <= 10_000; i++) {
      batch.addAlerts(AlertMessage.newBuilder().setSource("too-many").setTitle("t"));
    }
    Acks<AlertBatch, AlertBatchAck> acks = new Acks<>(true);
    var requests = edge.streams().streamAlertBatches(acks);
    requests.onNext(batch.build());
    requests.onNext(AlertBatch.newBuilder().addAlerts(Alerts.alert("next")).build());
    requests.onCompleted();
    StatusRuntimeException unary =
        catchThrowableOfType(
            StatusRuntimeException.class, () -> edge.calls().submitAlerts(batch.build()));

    assertThat(acks.awaitEnd()).isEqualTo(Status.OK);
    Map<String, AlertBatchAck> byId =
        acks.received.stream().collect(Collectors.toMap(AlertBatchAck::getBatchId, a -> a));
    assertThat(byId.get("too-many").getAcksList()).isEmpty();
    assertThat(byId.get("too-many").getViolationsList())
        .extracting(FieldViolation::getField)
        .containsExactly("alerts");
    assertThat(byId.get("").getAcks(0).getStatus()).isEqualTo(AlertAck.Status.ACCEPTED);
    assertThat(unary.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(edge.log()).noneMatch(l -> l.alert().getSource().equals("too-many"));
  }

  @Test
  void batchOfNothingButFaults_isAnsweredWithinAMessagesSize() {
    AlertMessage.Builder bad = AlertMessage.newBuilder();
    for (int i = 0; i < 128; i++) {
      bad.addAffectedResources("");
    }
    AlertBatch.Builder batch = AlertBatch.newBuilder();
    for (int i = 0; i < 10_000; i++) {
      batch.addAlerts(bad);
    }

    AlertBatchAck ack = edge.calls().submitAlerts(batch.build());

    assertThat(ack.getAcksList())
        .hasSize(10_000)
        .allMatch(a -> a.getStatus() == AlertAck.Status.REJECTED && a.getViolationsCount() > 0);
  }

  @Test
  void callerThatNeverReadsItsAcks_isNotReadAnyFurther() {
    Acks<AlertMessage, AlertAck> acks = new Acks<>(false);
    edge.streams().streamAlerts(acks);
    String longId = "x".repeat(240); // acks carry it back, and so fill the transport sooner
    double before = edge.count("tocsin.edge.alerts", "outcome", "ACCEPTED");
    AtomicInteger sent = new AtomicInteger();
    AtomicLong sentNanos = new AtomicLong(System.nanoTime());
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(2))
        .until(
            () -> {
              while (acks.call.isReady()) {
                acks.call.onNext(Alerts.alert(longId + sent.getAndIncrement()).build());
                sentNanos.set(System.nanoTime());
              }
              return System.nanoTime() - sentNanos.get() > 1_500_000_000L;
            });

    // The client's own windows hold most of it: 1 MiB of acks by HTTP/2, which nobody reads.
    double taken = edge.count("tocsin.edge.alerts", "outcome", "ACCEPTED") - before;
    assertThat(taken).isBetween(1024.0, 8000.0);
    assertThat(sent.get()).isGreaterThan((int) taken);

    acks.call.request(Integer.MAX_VALUE); // it reads on
    acks.call.onCompleted();
    assertThat(acks.awaitEnd()).isEqualTo(Status.OK);
    assertThat(acks.received).hasSize(sent.get());
    assertThat(acks.received).allMatch(a -> a.getStatus() == AlertAck.Status.ACCEPTED);
  }

  @Test
  void cancelledCall_stillHasItsAlertsOnTheLog() {
    Acks<AlertMessage, AlertAck> acks = new Acks<>(false);
    edge.streams().streamAlerts(acks);
    for (int i = 0; i < 200; i++) {
      acks.call.onNext(Alerts.alert("cancelled-" + i).build());
    }
    Awaitility.await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> edge.logged("cancelled-0").isPresent());
    acks.call.cancel("a client that goes away", null);

    assertThat(acks.awaitEnd().getCode()).isEqualTo(Status.Code.CANCELLED);
    assertThat(acks.received).isEmpty();
  }

  private static io.grpc.stub.StreamObserver<byte[]> rawStream(Acks<byte[], byte[]> acks) {
    return ClientCalls.asyncBidiStreamingCall(
        edge.channel.newCall(raw(AlertIngestionGrpc.getStreamAlertsMethod()), CallOptions.DEFAULT),
        acks);
  }

  private static MethodDescriptor<byte[], byte[]> raw(MethodDescriptor<?, ?> method) {
    return method.toBuilder(new Bytes(), new Bytes()).build();
  }

  private static Timestamp at(String instant) {
    return Timestamp.newBuilder().setSeconds(Instant.parse(instant).getEpochSecond()).build();
  }

  /** Messages as they are on the wire. */
  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** An encoding that no server knows. */
  private static final class UnknownCodec implements Codec {
    @Override
    public String getMessageEncoding() {
      return "unknown";
    }

    @Override
    public InputStream decompress(InputStream in) {
      return in;
    }

    @Override
    public OutputStream compress(OutputStream out) {
      return out;
    }
  }
}
