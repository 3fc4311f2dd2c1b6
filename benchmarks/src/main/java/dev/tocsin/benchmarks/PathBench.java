package dev.tocsin.benchmarks;

import dev.tocsin.broker.FreePorts;
import dev.tocsin.processor.LogTopics;
import dev.tocsin.schemas.Topics;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.regex.Pattern;
import org.HdrHistogram.Histogram;

/**
 * How long it takes from an alert that is sent until its incident can be read, and until a
 * subscriber has the event, while the storm goes through the same edge, processor and query-service
 * at 2,000 alerts a second. Five cold JVMs on a small machine fall seconds behind at first, which
 * is told as the cold latency; the rest is of a system that has run for a while.
 */
final class PathBench {
  private static final double LOAD_PER_SECOND = 2_000;
  private static final int STREAMS = 4;
  private static final double ROOM = 1.5;
  private static final Pattern QUERY_STARTED = Pattern.compile("serves on port (\\d+)");

  private final EdgeStand stand;
  private final Rounds rounds;

  PathBench(EdgeStand stand, Rounds rounds) {
    this.stand = stand;
    this.rounds = rounds;
  }

  BenchResult run() throws IOException, InterruptedException {
    Topics topics = new Topics("path", "g1");
    LogTopics.create(stand.kafka(), topics, EdgeStand.PARTITIONS, 1);
    int port = FreePorts.choose(0);
    Map<String, Double> figures = new LinkedHashMap<>();
    int warmUps = (int) rounds.warmUpMax().dividedBy(rounds.settle().plus(rounds.measured()));
    List<BenchResult.Round> measured = new ArrayList<>();
    List<Histogram> acked = new ArrayList<>();
    List<Histogram> readable = new ArrayList<>();
    List<Histogram> told = new ArrayList<>();
    try (EdgeProcess edge = stand.newEdge(EdgeKind.PLAIN, topics);
        ProcessorProcess ignored = ProcessorProcess.start(stand, topics, port);
        ServerProcess query =
            ServerProcess.start(
                stand,
                "query",
                "dev.tocsin.query.QueryMain",
                List.of(
                    "log.prefix=" + topics.prefix(),
                    "query.port=0",
                    "ops.port=0",
                    "query.timeout=" + Probes.ANSWER_MAX.toSeconds() + "s",
                    "query.processors=127.0.0.1:" + port),
                QUERY_STARTED)) {
      EdgeTarget incidents =
          new EdgeTarget(query.port(1), InsecureChannelCredentials.create(), Optional.empty());
      incidents.awaitServing();
      ManagedChannel channel = incidents.connect();
      try (Probes probes = new Probes(edge.target().connect(), channel)) {
        round(edge.target(), probes, 0);
        Histogram cold = probes.outcome().readableMicros();
        figures.put("cold_p50_ms", cold.getValueAtPercentile(50) / 1e3);
        figures.put("cold_p99_ms", cold.getValueAtPercentile(99) / 1e3);
        for (int i = 1; i < warmUps; i++) {
          round(edge.target(), probes, i);
        }
        for (int round = 1; round <= rounds.count(); round++) {
          EdgeStand.writeBack();
          StolenTime stolen = StolenTime.start();
          double rate = round(edge.target(), probes, warmUps + round);
          Probes.Outcome outcome = probes.outcome();
          acked.add(outcome.ackedMicros());
          readable.add(outcome.readableMicros());
          told.add(outcome.toldMicros());
          measured.add(BenchResult.Round.of(rate));
          rounds
              .progress()
              .printf(
                  "latency, round %d of %d: %,.0f alerts/s, %d probes, readable p99 %.1f ms, told p99 %.1f ms%s%n",
                  round,
                  rounds.count(),
                  rate,
                  outcome.readableMicros().getTotalCount(),
                  outcome.readableMicros().getValueAtPercentile(99) / 1e3,
                  outcome.toldMicros().getValueAtPercentile(99) / 1e3,
                  stolen.text());
        }
      } finally {
        channel.shutdownNow();
      }
    }
    figures.put("ack_p50_ms", BenchResult.medianMs(acked, 50));
    figures.put("ack_p99_ms", BenchResult.medianMs(acked, 99));
    figures.put("event_p50_ms", BenchResult.medianMs(told, 50));
    figures.put("event_p99_ms", BenchResult.medianMs(told, 99));
    return BenchResult.of("latency", "alerts/s", measured, readable).with(figures);
  }

  /** The load and the probes beside it; what the probes found before is forgotten. */
  private double round(EdgeTarget edge, Probes probes, int number)
      throws IOException, InterruptedException {
    Duration settle = rounds.settle();
    Duration measuredFor = rounds.measured();
    // No id comes a second time, or it would be a redelivery.
    int each = (int) (LOAD_PER_SECOND / STREAMS * settle.plus(measuredFor).toSeconds() * ROOM);
    List<List<byte[]>> requests = EdgeRequests.alerts(STREAMS, each, number * STREAMS);
    PacedLoad load = new PacedLoad(STREAMS, STREAMS, LOAD_PER_SECOND);
    CompletableFuture<PacedLoad.Outcome> storm =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return load.run(edge, requests, settle, measuredFor);
              } catch (IOException | InterruptedException e) {
                throw new CompletionException(e);
              }
            });
    probes.run(settle.plus(measuredFor));
    try {
      PacedLoad.Outcome outcome = storm.join();
      if (outcome.refused() > 0) {
        throw new IOException(outcome.refused() + " alerts of the load were refused");
      }
      return outcome.alertsPerSecond();
    } catch (CompletionException e) {
      throw new IOException("the load ended", e.getCause());
    }
  }
}
