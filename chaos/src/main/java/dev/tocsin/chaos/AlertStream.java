package dev.tocsin.chaos;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One stream of alerts and its life: what was sent on it and has no ack yet. Of the load's thread,
 * to which it hands what comes on gRPC's.
 */
final class AlertStream implements ClientResponseObserver<AlertMessage, AlertAck> {
  /** An alert under way, since {@code atNanos}. */
  record Sent(Group group, Step step, AlertMessage message, long atNanos) {}

  private final AlertLoad load;
  private final Map<String, Sent> open = new HashMap<>(); // a group has one under way: ids differ
  private ClientCallStreamObserver<AlertMessage> call;
  private boolean over;
  private long overNanos;

  private AlertStream(AlertLoad load) {
    this.load = load;
  }

  static AlertStream open(ManagedChannel edge, AlertLoad load) {
    AlertStream stream = new AlertStream(load);
    AlertIngestionGrpc.newStub(edge).streamAlerts(stream);
    return stream;
  }

  boolean isReady() {
    return !over && call.isReady();
  }

  boolean idle() {
    return open.isEmpty();
  }

  boolean overFor(Duration time) {
    return over && System.nanoTime() - overNanos > time.toNanos();
  }

  /** Whether an alert has waited for its ack for longer than this. */
  boolean silentFor(Duration time) {
    long now = System.nanoTime();
    return open.values().stream().anyMatch(sent -> now - sent.atNanos() > time.toNanos());
  }

  void send(Group group, Step step, AlertMessage message) {
    open.put(step.id(), new Sent(group, step, message, System.nanoTime()));
    call.onNext(message);
  }

  void cancel() {
    call.cancel("no ack", null);
    end(Status.CANCELLED.withDescription("RST_STREAM by this client"));
  }

  /** Nothing more is sent. */
  void complete() {
    if (!over) {
      call.onCompleted();
    }
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<AlertMessage> started) {
    call = started;
  }

  @Override
  public void onNext(AlertAck ack) {
    load.tell(() -> take(ack));
  }

  @Override
  public void onError(Throwable t) {
    load.tell(() -> end(Status.fromThrowable(t)));
  }

  @Override
  public void onCompleted() {
    load.tell(() -> end(Status.UNAVAILABLE.withDescription("completed by the server")));
  }

  private void take(AlertAck ack) {
    Sent sent = open.remove(ack.getAlertId());
    if (sent != null) {
      load.acked(sent, ack);
    } else if (!over) { // else what was open has gone elsewhere already
      load.unasked(ack);
    }
  }

  private void end(Status status) {
    if (!over) {
      over = true;
      overNanos = System.nanoTime();
      List<Sent> left = List.copyOf(open.values());
      open.clear();
      load.ended(status, left);
    }
  }
}
