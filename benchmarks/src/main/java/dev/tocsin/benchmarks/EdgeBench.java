package dev.tocsin.benchmarks;

import dev.tocsin.processor.LogTopics;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.schemas.Topics;
import java.io.IOException;
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
  /** Far above what the producer sends in a second, so that its run is long enough. */
  private static final int REFERENCE_RECORDS_PER_SECOND = 150_000;

  private final EdgeStand stand;
  private final Rounds rounds;

  EdgeBench(EdgeStand stand, Rounds rounds) {
    this.stand = stand;
    this.rounds = rounds;
  }

  BenchResult stream() throws IOException, InterruptedException {
    StreamLoad<AlertAck> load = EdgeRequests.alertStreams();
    return run("edge-stream", EdgeKind.PLAIN, load, EdgeRequests.alerts(), kafka());
  }

  BenchResult batch() throws IOException, InterruptedException {
    return run(
        "edge-batch", EdgeKind.PLAIN, EdgeRequests.batchStreams(), EdgeRequests.batches(), kafka());
  }

  /** What it costs that each stream shows a token, and each alert is held against a quota. */
  BenchResult streamWithTokens() throws IOException, InterruptedException {
    return guarded("edge-stream-jwt", EdgeKind.JWT);
  }

  /** What it costs to encrypt. */
  BenchResult streamWithTls() throws IOException, InterruptedException {
    return guarded("edge-stream-tls", EdgeKind.TLS);
  }

  /** What ours is held against: how many a second. */
  interface Reference {
    double run() throws IOException, InterruptedException;
  }

  private BenchResult guarded(String name, EdgeKind kind) throws IOException, InterruptedException {
    StreamLoad<AlertAck> load = EdgeRequests.alertStreams();
    List<List<byte[]>> requests = EdgeRequests.alerts();
    EdgeTarget plain = stand.edge(EdgeKind.PLAIN);
    warmUp(name + ", plain", plain, load, requests);
    return run(name, kind, load, requests, () -> measure(plain, load, requests).alertsPerSecond());
  }

  private Reference kafka() throws IOException {
    Topics topics = new Topics("reference", "g1");
    LogTopics.create(stand.kafka(), topics, EdgeStand.PARTITIONS, 1);
    ProducerReference producer =
        new ProducerReference(stand.bootstrap(), topics.log(), EdgeRequests.alertBytes());
    long records = REFERENCE_RECORDS_PER_SECOND * Math.max(1, rounds.measured().toSeconds());
    return () -> producer.run(records);
  }

  /** Warms the edge up, then measures reference and edge in turn. */
  <R> BenchResult run(
      String name,
      EdgeKind kind,
      StreamLoad<R> load,
      List<List<byte[]>> requests,
      Reference reference)
      throws IOException, InterruptedException {
    EdgeTarget edge = stand.edge(kind);
    warmUp(name, edge, load, requests);
    List<BenchResult.Round> measured = new ArrayList<>();
    List<Histogram> latency = new ArrayList<>();
    for (int round = 1; round <= rounds.count(); round++) {
      double theirs = reference.run();
      StreamLoad.Outcome ours = measure(edge, load, requests);
      latency.add(ours.latencyMicros());
      measured.add(new BenchResult.Round(ours.alertsPerSecond(), theirs));
      rounds
          .progress()
          .printf(
              "%s, round %d of %d: %,.0f against %,.0f alerts/s%n",
              name, round, rounds.count(), ours.alertsPerSecond(), theirs);
    }
    return BenchResult.of(name, "alerts/s", measured, latency);
  }

  private <R> StreamLoad.Outcome measure(
      EdgeTarget edge, StreamLoad<R> load, List<List<byte[]>> requests)
      throws IOException, InterruptedException {
    return load.run(edge, requests, rounds.settle(), rounds.measured());
  }

  private <R> void warmUp(
      String what, EdgeTarget edge, StreamLoad<R> load, List<List<byte[]>> requests)
      throws IOException, InterruptedException {
    rounds.warmUp(what, step -> load.run(edge, requests, Duration.ZERO, step).alertsPerSecond());
  }
}
