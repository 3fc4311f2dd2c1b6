package dev.tocsin.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * {@code edge-slow}: what streams that never read their acks cost the edge, and a stream beside
 * them that does. Its latency with them is ours, without them the reference.
 */
final class SlowBench {
  private static final int CONNECTIONS = 20;
  private static final int STREAMS_EACH = 10;
  private static final double ALERTS_PER_SECOND = 2_000;
  private static final int REQUESTS = 20_000;

  private final EdgeStand stand;
  private final Rounds rounds;

  SlowBench(EdgeStand stand, Rounds rounds) {
    this.stand = stand;
    this.rounds = rounds;
  }

  BenchResult run() throws IOException, InterruptedException {
    List<List<byte[]>> requests = EdgeRequests.alerts(1, REQUESTS);
    try (EdgeProcess edge = stand.newEdge(EdgeKind.PLAIN)) {
      rounds.warmUp(
          "edge-slow",
          step ->
              EdgeRequests.alertStreams()
                  .run(edge.target(), EdgeRequests.alerts(), rounds.settle(), step)
                  .alertsPerSecond());
      List<Histogram> without = beside(edge.target(), requests);
      Map<String, Double> figures = new LinkedHashMap<>();
      double heapAloneMib = edge.heapMib();
      double residentAloneMib = edge.residentMib();
      try (SilentStreams silent =
          new SilentStreams(edge.target(), CONNECTIONS, STREAMS_EACH, requests.get(0))) {
        figures.put("silent_alerts_sent", (double) silent.awaitRest());
        Memory before = Memory.of(edge);
        List<Histogram> with = beside(edge.target(), requests);
        Memory after = Memory.of(edge);
        silent.check();
        figures.put("heap_alone_mib", heapAloneMib);
        figures.put("rss_alone_mib", residentAloneMib);
        before.into(figures, "before");
        after.into(figures, "after");
        figures.put("heap_growth_mib", after.heapMib - before.heapMib);
        figures.put("rss_growth_mib", after.residentMib - before.residentMib);
        return result(without, with).with(figures);
      }
    }
  }

  /** What the edge holds, all of it at rest. */
  private record Memory(double heapMib, double residentMib, double inFlightBytes) {
    static Memory of(EdgeProcess edge) throws IOException, InterruptedException {
      double heap = edge.heapMib(); // first: it gives back what is garbage
      return new Memory(heap, edge.residentMib(), edge.inFlightBytes());
    }

    void into(Map<String, Double> figures, String when) {
      figures.put("heap_" + when + "_mib", heapMib);
      figures.put("rss_" + when + "_mib", residentMib);
      figures.put("in_flight_" + when + "_bytes", inFlightBytes);
    }
  }

  /** A stream that reads its acks, a round at a time. */
  private List<Histogram> beside(EdgeTarget edge, List<List<byte[]>> requests)
      throws IOException, InterruptedException {
    PacedLoad load = new PacedLoad(1, 1, ALERTS_PER_SECOND);
    List<Histogram> measured = new ArrayList<>();
    for (int round = 1; round <= rounds.count(); round++) {
      EdgeStand.writeBack();
      Histogram latency =
          load.run(edge, requests, rounds.settle(), rounds.measured()).latencyMicros();
      rounds
          .progress()
          .printf(
              "edge-slow, round %d of %d: p99 %.2f ms%n", round, rounds.count(), p99Ms(latency));
      measured.add(latency);
    }
    return measured;
  }

  private static BenchResult result(List<Histogram> without, List<Histogram> with) {
    List<BenchResult.Round> measured = new ArrayList<>();
    for (int i = 0; i < with.size(); i++) {
      measured.add(new BenchResult.Round(p99Ms(with.get(i)), p99Ms(without.get(i))));
    }
    return BenchResult.of("edge-slow", "ms p99", measured, with);
  }

  private static double p99Ms(Histogram latency) {
    return latency.getValueAtPercentile(99) / 1e3;
  }
}
