package dev.tocsin.benchmarks;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertBatch;
import dev.tocsin.proto.alerts.AlertBatchAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * What the loads send to an edge, serialized beforehand, and how they read its answers. A request's
 * id is its place in its stream's list.
 */
final class EdgeRequests {
  static final int BATCH = 100;

  private static final int ALERTS_PER_STREAM = 25_000;
  private static final int UNANSWERED_ALERTS = 1_000;
  private static final int SIZED = 1_000;

  private EdgeRequests() {}

  /** Streams of single alerts, kept full. */
  static StreamLoad<AlertAck> alertStreams() {
    return new StreamLoad<>(
        RawBytes.of(AlertIngestionGrpc.getStreamAlertsMethod()),
        new AlertReply(),
        1,
        UNANSWERED_ALERTS);
  }

  /** Streams of batches of a hundred, kept full. */
  static StreamLoad<AlertBatchAck> batchStreams() {
    return new StreamLoad<>(
        RawBytes.of(AlertIngestionGrpc.getStreamAlertBatchesMethod()),
        new BatchReply(),
        BATCH,
        UNANSWERED_ALERTS / BATCH);
  }

  /** Alerts of the storm for each of the {@link StreamLoad}'s streams. */
  static List<List<byte[]>> alerts() {
    return alerts(StreamLoad.streams(), ALERTS_PER_STREAM);
  }

  /** Alerts of the storm, so many for each of so many streams. */
  static List<List<byte[]>> alerts(int streams, int each) {
    return alerts(streams, each, 0);
  }

  /** The same of other streams: their alerts come in another order, each under its own id. */
  static List<List<byte[]>> alerts(int streams, int each, int from) {
    List<List<byte[]>> all = new ArrayList<>();
    for (int stream = from; stream < from + streams; stream++) {
      StormAlerts alerts = new StormAlerts(stream, stream + "-");
      List<byte[]> requests = new ArrayList<>();
      for (int i = 0; i < each; i++) {
        requests.add(alerts.nextNew().toByteArray());
      }
      all.add(requests);
    }
    return all;
  }

  /** Batches of the storm's alerts. */
  static List<List<byte[]>> batches() {
    return batches(
        stream -> {
          StormAlerts alerts = new StormAlerts(stream, "");
          return i -> alerts.nextNew();
        });
  }

  /** Batches that hold each of the storm's conditions once. */
  static List<List<byte[]>> distinctBatches() {
    int each = StormAlerts.FINGERPRINTS / StreamLoad.streams();
    return batches(
        stream ->
            i ->
                StormAlerts.of(
                    Integer.toString(i), (stream * each + i) % StormAlerts.FINGERPRINTS));
  }

  private static List<List<byte[]>> batches(IntFunction<IntFunction<AlertMessage>> alertsOf) {
    List<List<byte[]>> streams = new ArrayList<>();
    for (int stream = 0; stream < StreamLoad.streams(); stream++) {
      IntFunction<AlertMessage> alerts = alertsOf.apply(stream);
      List<byte[]> requests = new ArrayList<>();
      for (int i = 0; i < ALERTS_PER_STREAM / BATCH; i++) {
        AlertBatch.Builder batch = AlertBatch.newBuilder().setBatchId(Integer.toString(i));
        for (int j = 0; j < BATCH; j++) {
          batch.addAlerts(alerts.apply(i * BATCH + j));
        }
        requests.add(batch.build().toByteArray());
      }
      streams.add(requests);
    }
    return streams;
  }

  /** How large an alert of the storm is on average. */
  static int alertBytes() {
    StormAlerts alerts = new StormAlerts(1, "size-");
    long sum = 0;
    for (int i = 0; i < SIZED; i++) {
      sum += alerts.nextNew().getSerializedSize();
    }
    return (int) (sum / SIZED);
  }

  /** Why an alert was not taken; empty if it was. */
  static String refusal(AlertAck ack) {
    return ack.getStatus() == AlertAck.Status.ACCEPTED
        ? ""
        : ack.getStatus() + " " + ack.getMessage();
  }

  /** Which of its stream's requests an alert of {@link #alerts} is, by its id. */
  static int number(String alertId) {
    return Integer.parseInt(alertId, alertId.lastIndexOf('-') + 1, alertId.length(), 10);
  }

  private static final class AlertReply implements StreamLoad.Reply<AlertAck> {
    @Override
    public int request(AlertAck reply) {
      return number(reply.getAlertId());
    }

    @Override
    public int accepted(AlertAck reply) {
      return reply.getStatus() == AlertAck.Status.ACCEPTED ? 1 : 0;
    }

    @Override
    public String refusal(AlertAck reply) {
      return EdgeRequests.refusal(reply);
    }
  }

  private static final class BatchReply implements StreamLoad.Reply<AlertBatchAck> {
    @Override
    public int request(AlertBatchAck reply) {
      return Integer.parseInt(reply.getBatchId());
    }

    @Override
    public int accepted(AlertBatchAck reply) {
      int accepted = 0;
      for (AlertAck ack : reply.getAcksList()) {
        accepted += ack.getStatus() == AlertAck.Status.ACCEPTED ? 1 : 0;
      }
      return accepted;
    }

    @Override
    public String refusal(AlertBatchAck reply) {
      return reply.getAcksList().stream()
          .map(EdgeRequests::refusal)
          .filter(why -> !why.isEmpty())
          .findFirst()
          .orElse("");
    }
  }
}
