package dev.tocsin.ingest;

import com.google.rpc.Code;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertBatch;
import dev.tocsin.proto.alerts.AlertBatchAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc.AlertIngestionImplBase;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.FieldViolation;
import dev.tocsin.proto.alerts.HealthCheckRequest;
import dev.tocsin.proto.alerts.HealthCheckResponse;
import dev.tocsin.proto.alerts.HealthStatus;
import dev.tocsin.runtime.Caller;
import dev.tocsin.runtime.Errors;
import dev.tocsin.runtime.Health;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The service {@code alerts.AlertIngestion}: how each way in is answered. Outcomes are values up to
 * here; here they become acks or statuses. No method ever blocks, so all of it runs on the
 * transport's threads.
 */
final class IngestionService extends AlertIngestionImplBase {
  private static final Logger LOG = LoggerFactory.getLogger(IngestionService.class);

  /** Messages that a stream asks for ahead; a batch is as large as a message can be. */
  private static final int ALERTS_AHEAD = 64;

  private static final int BATCHES_AHEAD = 2;

  /** Violations that a batch's ack tells in full, of all its alerts; then one of each alert. */
  private static final int BATCH_VIOLATIONS_MAX = 1000;

  private final EdgeConfig config;
  private final AlertIntake intake;
  private final Executor acks;
  private final SlowStreams slow;
  private final Health health;
  private final String version;
  private final OpenStreams streams;
  private volatile boolean closing;

  IngestionService(
      EdgeConfig config,
      AlertIntake intake,
      Executor acks,
      SlowStreams slow,
      Health health,
      String version) {
    this.config = config;
    this.intake = intake;
    this.acks = acks;
    this.slow = slow;
    this.health = health;
    this.version = version;
    this.streams = new OpenStreams(config.streamsMax(), config.principalStreamsMax());
  }

  @Override
  public void submitAlert(AlertMessage message, StreamObserver<AlertAck> observer) {
    ServerCallStreamObserver<AlertAck> call = unary(observer);
    PendingAlert alert =
        intake.prepare(message, done -> answer(call, done), 0, arrival(), Violations.LISTED_MAX);
    intake.append(alert);
  }

  @Override
  public StreamObserver<AlertMessage> streamAlerts(StreamObserver<AlertAck> observer) {
    AckStream<AlertAck> stream = stream(observer, ALERTS_AHEAD);
    PendingAlert.Reply reply = stream::send;
    AlertIntake.Sender sender = AlertIntake.Sender.current();
    return open(
        stream,
        message -> {
          PendingAlert alert =
              intake.prepare(message, reply, 0, intake.arrival(sender), Violations.LISTED_MAX);
          stream.arrived(alert.alerts(), alert.bytes());
          intake.append(alert);
        });
  }

  @Override
  public void submitAlerts(AlertBatch batch, StreamObserver<AlertBatchAck> observer) {
    ServerCallStreamObserver<AlertBatchAck> call = unary(observer);
    List<FieldViolation> faults = intake.check(batch, AlertIntake.Sender.current());
    if (!faults.isEmpty()) {
      call.onError(Violations.status(faults));
      return;
    }
    BatchReply reply =
        new BatchReply(batchId(batch), faults, batch.getAlertsCount(), done -> succeed(call, done));
    prepare(batch, reply, arrival()).forEach(intake::append);
    reply.begun();
  }

  @Override
  public StreamObserver<AlertBatch> streamAlertBatches(StreamObserver<AlertBatchAck> observer) {
    AckStream<AlertBatchAck> stream = stream(observer, BATCHES_AHEAD);
    AlertIntake.Sender sender = AlertIntake.Sender.current();
    return open(
        stream,
        batch -> {
          List<FieldViolation> faults = intake.check(batch, sender);
          int alerts = faults.isEmpty() ? batch.getAlertsCount() : 0;
          BatchReply reply = new BatchReply(batchId(batch), faults, alerts, stream::send);
          List<PendingAlert> prepared =
              faults.isEmpty() ? prepare(batch, reply, intake.arrival(sender)) : List.of();
          stream.arrived(reply.alerts(), reply.bytes());
          prepared.forEach(intake::append);
          reply.begun();
        });
  }

  @Override
  public void healthCheck(HealthCheckRequest request, StreamObserver<HealthCheckResponse> call) {
    boolean serving = health.serving() && !closing;
    call.onNext(
        HealthCheckResponse.newBuilder()
            .setStatus(
                serving ? HealthStatus.HEALTH_STATUS_HEALTHY : HealthStatus.HEALTH_STATUS_UNHEALTHY)
            .setVersion(version)
            .setUptimeSeconds(
                Duration.ofMillis(ManagementFactory.getRuntimeMXBean().getUptime()).toSeconds())
            .build());
    call.onCompleted();
  }

  /** Reads no stream any further. Each ends once what it brought is answered. */
  void close() {
    closing = true;
    streams.close();
  }

  /** Waits until every stream has ended, after {@link #close}; false if that took too long. */
  boolean awaitStreams(Duration max) throws InterruptedException {
    return streams.awaitNone(max);
  }

  private static String batchId(AlertBatch batch) {
    return AlertValidator.echo(batch.getBatchId(), AlertValidator.BATCH_ID_MAX);
  }

  private AlertIntake.Arrival arrival() {
    return intake.arrival(AlertIntake.Sender.current());
  }

  private List<PendingAlert> prepare(
      AlertBatch batch, BatchReply reply, AlertIntake.Arrival arrival) {
    List<PendingAlert> prepared = new ArrayList<>(batch.getAlertsCount());
    int listedMax = BATCH_VIOLATIONS_MAX;
    for (AlertMessage message : batch.getAlertsList()) {
      PendingAlert alert =
          intake.prepare(
              message, reply, prepared.size(), arrival, Math.min(listedMax, Violations.LISTED_MAX));
      prepared.add(alert);
      reply.charge(alert);
      if (alert.refusal() != null) {
        listedMax = Math.max(1, listedMax - alert.message().getViolationsCount());
      }
    }
    return prepared;
  }

  private <R> AckStream<R> stream(StreamObserver<R> observer, int aheadMax) {
    ReadWindow window = new ReadWindow(config.streamAlertsMax(), config.streamBytesMax(), aheadMax);
    return new AckStream<>(
        (ServerCallStreamObserver<R>) observer, window, acks, slow, streams::ended);
  }

  private <Q, R> StreamObserver<Q> open(AckStream<R> stream, Consumer<Q> reader) {
    Optional<String> refused = streams.add(stream, Caller.current());
    if (refused.isPresent()) {
      stream.refuse(Errors.exhausted(refused.get(), Refusal.FULL.retryAfter()));
      return new NoRequests<>();
    }
    return stream.open(reader);
  }

  /** Of a call that has ended already. */
  private static final class NoRequests<Q> implements StreamObserver<Q> {
    @Override
    public void onNext(Q message) {}

    @Override
    public void onError(Throwable cancellation) {}

    @Override
    public void onCompleted() {}
  }

  private static <R> ServerCallStreamObserver<R> unary(StreamObserver<R> observer) {
    ServerCallStreamObserver<R> call = (ServerCallStreamObserver<R>) observer;
    call.setOnCancelHandler(() -> {}); // its alerts go on; the answer is dropped
    return call;
  }

  private static void answer(ServerCallStreamObserver<AlertAck> call, PendingAlert alert) {
    if (alert.refusal() == null) {
      succeed(call, alert);
      return;
    }
    try {
      call.onError(status(alert));
    } catch (RuntimeException e) {
      LOG.debug("a call ended before it was answered", e);
    }
  }

  private static <R> void succeed(ServerCallStreamObserver<R> call, AckStream.Outgoing<R> outcome) {
    try {
      call.onNext(outcome.message());
      call.onCompleted();
    } catch (RuntimeException e) {
      LOG.debug("a call ended before it was answered", e);
    }
  }

  private static StatusRuntimeException status(PendingAlert alert) {
    AlertAck ack = alert.message();
    return switch (alert.refusal()) {
      case INVALID, INVALID_BATCH -> Violations.status(ack.getViolationsList());
      case INTERNAL -> Status.INTERNAL.withDescription(ack.getMessage()).asRuntimeException();
      case RATE_LIMITED -> Errors.exhausted(ack.getMessage(), retryAfter(ack));
      case LOG_REFUSES ->
          Errors.because(
              Code.FAILED_PRECONDITION,
              alert.refusal().name(),
              ack.getMessage(),
              Map.of(),
              retryAfter(ack));
      case LOG_UNAVAILABLE, RULES_UNKNOWN, FULL, SHED, CLOSING, LOG_FAILED ->
          Errors.unavailable(ack.getMessage(), retryAfter(ack));
    };
  }

  private static Duration retryAfter(AlertAck ack) {
    return Duration.ofSeconds(ack.getRetryAfter().getSeconds(), ack.getRetryAfter().getNanos());
  }
}
