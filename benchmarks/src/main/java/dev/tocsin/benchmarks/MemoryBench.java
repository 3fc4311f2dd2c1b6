package dev.tocsin.benchmarks;

import dev.tocsin.processor.LogTopics;
import dev.tocsin.schemas.Topics;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * What a processor with a small heap has resident while a million incidents are open and alerts of
 * all of them come in, and whether it keeps up.
 */
final class MemoryBench {
  private static final int INCIDENTS = 1_000_000;
  private static final double LOAD_PER_SECOND = 2_000;
  private static final int STREAMS = 4;
  private static final Duration SUSTAINED = Duration.ofSeconds(60);

  private final EdgeStand stand;
  private final Rounds rounds;

  MemoryBench(EdgeStand stand, Rounds rounds) {
    this.stand = stand;
    this.rounds = rounds;
  }

  BenchResult run() throws IOException, InterruptedException {
    int incidents = (int) rounds.work(INCIDENTS);
    Duration sustained = rounds.atLeast(SUSTAINED);
    Topics topics = new Topics("memory", "g1");
    LogTopics.create(stand.kafka(), topics, EdgeStand.PARTITIONS, 1);
    new Backlog(stand.kafka(), topics.log(), Optional.empty(), EdgeStand.PARTITIONS)
        .write(new DistinctAlerts(), incidents);
    Map<String, Double> figures = new LinkedHashMap<>();
    try (ProcessorProcess processor = ProcessorProcess.startSmall(stand, topics);
        EdgeProcess edge = stand.newEdge(EdgeKind.PLAIN, topics)) {
      processor.awaitApplied(incidents);
      Duration settle = rounds.settle();
      long alerts = (long) (LOAD_PER_SECOND * settle.plus(sustained).toSeconds());
      PacedLoad.Outcome outcome =
          new PacedLoad(STREAMS, STREAMS, LOAD_PER_SECOND)
              .run(edge.target(), requests(incidents, alerts / STREAMS), settle, sustained);
      long ackedNs = System.nanoTime();
      processor.awaitApplied(incidents + alerts);
      double behindMs = (System.nanoTime() - ackedNs) / 1e6;
      figures.put("open_incidents", (double) incidents);
      figures.put("behind_at_end_ms", behindMs);
      figures.put("refused", (double) outcome.refused());
      figures.put("rss_peak_mib", processor.residentPeakMib());
      return BenchResult.of(
              "memory",
              "alerts/s",
              List.of(BenchResult.Round.of(outcome.alertsPerSecond())),
              List.of(outcome.latencyMicros()))
          .with(figures);
    }
  }

  /** Alerts of any of the incidents, none of them sent before. */
  private static List<List<byte[]>> requests(int incidents, long each) {
    List<List<byte[]>> all = new ArrayList<>();
    for (int stream = 0; stream < STREAMS; stream++) {
      Random random = new Random(stream);
      List<byte[]> requests = new ArrayList<>();
      for (int i = 0; i < each; i++) {
        requests.add(
            DistinctAlerts.of(Integer.toString(i), random.nextInt(incidents)).toByteArray());
      }
      all.add(requests);
    }
    return all;
  }
}
