package dev.tocsin.benchmarks;

import dev.tocsin.processor.LogTopics;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertBatch;
import dev.tocsin.proto.alerts.AlertBatchAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.schemas.Topics;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * What the edge takes, each alert acknowledged by acks=all. {@code edge-stream}, one alert a
 * message, and {@code edge-batch}, a hundred, against what Kafka's producer can send; {@code
 * edge-stream-jwt} and {@code edge-stream-tls} against {@code edge-stream}.
 */
final class EdgeBench {
  private static final int ALERTS_PER_STREAM = 25_000;
  private static final int BATCH = 100;
  private static final int UNANSWERED_ALERTS = 1_000;
  private static final Duration WARM_UP = Duration.ofSeconds(3);

  /** How the rounds go. */
  record Rounds(int count, Duration measured) {}

  private final EdgeStand stand;
  private final Rounds rounds;
  private final PrintStream progress;

  EdgeBench(EdgeStand stand, Rounds rounds, PrintStream progress) {
    this.stand = stand;
    this.rounds = rounds;
    this.progress = progress;
  }

  BenchResult stream() throws IOException, InterruptedException {
    return run("edge-stream", streamLoad(), alerts(), kafka());
  }

  /** What it costs that each stream shows a token, and each alert is held against a quota. */
  BenchResult streamWithTokens() throws IOException, InterruptedException {
    return guarded("edge-stream-jwt", EdgeKind.JWT);
  }

  /** What it costs to encrypt. */
  BenchResult streamWithTls() throws IOException, InterruptedException {
    return guarded("edge-stream-tls", EdgeKind.TLS);
  }

  private BenchResult guarded(String name, EdgeKind kind) throws IOException, InterruptedException {
    List<List<byte[]>> requests = alerts();
    StreamLoad<AlertAck> load = streamLoad();
    EdgeTarget plain = stand.edge(EdgeKind.PLAIN);
    load.run(plain, requests, WARM_UP, WARM_UP);
    return run(
        name,
        stand.edge(kind),
        load,
        requests,
        () -> load.run(plain, requests, WARM_UP, rounds.measured()).alertsPerSecond());
  }

  private static StreamLoad<AlertAck> streamLoad() {
    return new StreamLoad<>(
        RawBytes.of(AlertIngestionGrpc.getStreamAlertsMethod()),
        new AlertReply(),
        1,
        UNANSWERED_ALERTS);
  }

  /** What ours is held against: how many a second. */
  private interface Reference {
    double run() throws IOException, InterruptedException;
  }

  private Reference kafka() {
    Topics topics = new Topics("reference", "g1");
    LogTopics.create(stand.kafka(), topics, EdgeStand.PARTITIONS, 1);
    ProducerReference producer =
        new ProducerReference(stand.bootstrap(), topics.log(), recordBytes());
    return () -> producer.run(150_000 * Math.max(1, rounds.measured().toSeconds()));
  }

  BenchResult batch() throws IOException, InterruptedException {
    StreamLoad<AlertBatchAck> load =
        new StreamLoad<>(
            RawBytes.of(AlertIngestionGrpc.getStreamAlertBatchesMethod()),
            new BatchReply(),
            BATCH,
            UNANSWERED_ALERTS / BATCH);
    return run("edge-batch", load, batches(), kafka());
  }

  private <R> BenchResult run(
      String name, StreamLoad<R> load, List<List<byte[]>> requests, Reference reference)
      throws IOException, InterruptedException {
    return run(name, stand.edge(EdgeKind.PLAIN), load, requests, reference);
  }

  private <R> BenchResult run(
      String name,
      EdgeTarget edge,
      StreamLoad<R> load,
      List<List<byte[]>> requests,
      Reference reference)
      throws IOException, InterruptedException {
    List<BenchResult.Round> measured = new ArrayList<>();
    Histogram latency = new Histogram(3);
    load.run(edge, requests, WARM_UP, WARM_UP); // the edge's JIT compiler has to have seen it
    for (int round = 1; round <= rounds.count(); round++) {
      double theirs = reference.run();
      StreamLoad.Outcome ours = load.run(edge, requests, WARM_UP, rounds.measured());
      latency.add(ours.latencyMicros());
      measured.add(new BenchResult.Round(ours.alertsPerSecond(), theirs));
      progress.printf(
          "%s, round %d of %d: %,.0f against %,.0f alerts/s%n",
          name, round, rounds.count(), ours.alertsPerSecond(), theirs);
    }
    return BenchResult.of(
        name,
        "alerts/s",
        measured,
        latency.getValueAtPercentile(50) / 1e3,
        latency.getValueAtPercentile(99) / 1e3);
  }

  /** The size of the reference's records: that of an alert of the load. */
  private static int recordBytes() {
    StormAlerts alerts = new StormAlerts(1, "size-");
    long sum = 0;
    for (int i = 0; i < 1_000; i++) {
      sum += alerts.nextNew().getSerializedSize();
    }
    return (int) (sum / 1_000);
  }

  private static List<List<byte[]>> alerts() {
    List<List<byte[]>> streams = new ArrayList<>();
    for (int stream = 0; stream < StreamLoad.streams(); stream++) {
      StormAlerts alerts = new StormAlerts(stream, "");
      List<byte[]> requests = new ArrayList<>();
      for (int i = 0; i < ALERTS_PER_STREAM; i++) {
        requests.add(alerts.nextNew().toByteArray());
      }
      streams.add(requests);
    }
    return streams;
  }

  private static List<List<byte[]>> batches() {
    List<List<byte[]>> streams = new ArrayList<>();
    for (int stream = 0; stream < StreamLoad.streams(); stream++) {
      StormAlerts alerts = new StormAlerts(stream, "");
      List<byte[]> requests = new ArrayList<>();
      for (int i = 0; i < ALERTS_PER_STREAM / BATCH; i++) {
        AlertBatch.Builder batch = AlertBatch.newBuilder().setBatchId(Integer.toString(i));
        for (int j = 0; j < BATCH; j++) {
          batch.addAlerts(alerts.nextNew());
        }
        requests.add(batch.build().toByteArray());
      }
      streams.add(requests);
    }
    return streams;
  }

  private static final class AlertReply implements StreamLoad.Reply<AlertAck> {
    @Override
    public int request(AlertAck reply) {
      return Integer.parseInt(reply.getAlertId());
    }

    @Override
    public int accepted(AlertAck reply) {
      return reply.getStatus() == AlertAck.Status.ACCEPTED ? 1 : 0;
    }

    @Override
    public String refusal(AlertAck reply) {
      return reply.getStatus() == AlertAck.Status.ACCEPTED
          ? ""
          : reply.getStatus() + " " + reply.getMessage();
    }
  }

  private static final AlertReply ALERT = new AlertReply();

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
          .map(ALERT::refusal)
          .filter(why -> !why.isEmpty())
          .findFirst()
          .orElse("");
    }
  }
}
