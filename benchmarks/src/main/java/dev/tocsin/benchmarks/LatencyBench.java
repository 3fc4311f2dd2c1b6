package dev.tocsin.benchmarks;

import dev.tocsin.proto.alerts.AlertAck;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * How long an ack takes while the edge is not full: {@code edge-latency} with few streams at half
 * of what it can take, {@code edge-many} with many streams, of a few alerts a second each.
 */
final class LatencyBench {
  private static final double LOAD = 0.5;
  private static final String WORST = "p99_worst_round_ms";
  private static final int MANY_STREAMS = 2_000;
  private static final int MANY_CONNECTIONS = 40;
  private static final double ALERTS_PER_STREAM_SECOND = 20;

  /** Of one stream of many: 51 s of its alerts. */
  private static final int MANY_UNANSWERED_MAX = 1_024;

  private final EdgeStand stand;
  private final Rounds rounds;

  LatencyBench(EdgeStand stand, Rounds rounds) {
    this.stand = stand;
    this.rounds = rounds;
  }

  /** The reference is the edge's own maximum, measured right before each round. */
  BenchResult latency() throws IOException, InterruptedException {
    StreamLoad<AlertAck> full = EdgeRequests.alertStreams();
    List<List<byte[]>> requests = EdgeRequests.alerts();
    EdgeTarget edge = stand.edge(EdgeKind.PLAIN);
    rounds.warmUp("edge-latency", step -> alternate(edge, full, requests, step));
    List<BenchResult.Round> measured = new ArrayList<>();
    List<Histogram> latency = new ArrayList<>();
    long refused = 0;
    for (int round = 1; round <= rounds.count(); round++) {
      double max = full.run(edge, requests, rounds.settle(), rounds.measured()).alertsPerSecond();
      EdgeStand.writeBack();
      StolenTime stolen = StolenTime.start();
      PacedLoad.Outcome half =
          halfOf(max, requests).run(edge, requests, rounds.settle(), rounds.measured());
      progress("edge-latency", round, half, stolen);
      refused += half.refused();
      latency.add(half.latencyMicros());
      measured.add(new BenchResult.Round(half.alertsPerSecond(), max));
    }
    return BenchResult.of("edge-latency", "alerts/s", measured, latency)
        .with(Map.of("refused", (double) refused, WORST, worstMs(latency)));
  }

  /**
   * Both loads in turn, as the rounds have them. The client's JIT compiler made new code at each of
   * the first changes from one load to the other, which took one of two cores for a second and
   * stood in the latency as if it were the edge's.
   *
   * @return the rate of the load that is full
   */
  private static double alternate(
      EdgeTarget edge, StreamLoad<AlertAck> full, List<List<byte[]>> requests, Duration step)
      throws IOException, InterruptedException {
    Duration half = step.dividedBy(2);
    double max = full.run(edge, requests, Duration.ZERO, half).alertsPerSecond();
    halfOf(max, requests).run(edge, requests, Duration.ZERO, half);
    return max;
  }

  private static double worstMs(List<Histogram> latency) {
    return latency.stream()
        .mapToDouble(each -> each.getValueAtPercentile(99) / 1e3)
        .max()
        .orElse(Double.NaN);
  }

  private static PacedLoad halfOf(double alertsPerSecond, List<List<byte[]>> requests) {
    return new PacedLoad(requests.size(), requests.size(), alertsPerSecond * LOAD);
  }

  /** Of an edge of its own, whose memory no other load has filled. */
  BenchResult many() throws IOException, InterruptedException {
    List<List<byte[]>> requests = EdgeRequests.alerts(MANY_CONNECTIONS, MANY_UNANSWERED_MAX);
    PacedLoad load =
        new PacedLoad(MANY_CONNECTIONS, MANY_STREAMS, MANY_STREAMS * ALERTS_PER_STREAM_SECOND);
    List<BenchResult.Round> measured = new ArrayList<>();
    List<Histogram> latency = new ArrayList<>();
    Map<String, Double> figures = new LinkedHashMap<>();
    try (EdgeProcess edge = stand.newEdge(EdgeKind.PLAIN)) {
      rounds.warmUp("edge-many", step -> warmUpStep(edge.target(), step));
      long refused =
          load.run(edge.target(), requests, Duration.ZERO, rounds.measured().multipliedBy(3))
              .refused();
      for (int round = 1; round <= rounds.count(); round++) {
        EdgeStand.writeBack();
        StolenTime stolen = StolenTime.start();
        PacedLoad.Outcome outcome =
            load.run(edge.target(), requests, rounds.settle(), rounds.measured());
        progress("edge-many", round, outcome, stolen);
        refused += outcome.refused();
        latency.add(outcome.latencyMicros());
        measured.add(BenchResult.Round.of(outcome.alertsPerSecond()));
      }
      figures.put("refused", (double) refused);
      figures.put(WORST, worstMs(latency));
      figures.put("rss_peak_mib", edge.residentPeakMib());
    }
    return BenchResult.of("edge-many", "alerts/s", measured, latency).with(figures);
  }

  /** By few streams that are kept full: an edge that is cold cannot take the many yet. */
  private static double warmUpStep(EdgeTarget edge, Duration step)
      throws IOException, InterruptedException {
    return EdgeRequests.alertStreams()
        .run(edge, EdgeRequests.alerts(), Duration.ZERO, step)
        .alertsPerSecond();
  }

  private void progress(String name, int round, PacedLoad.Outcome outcome, StolenTime stolen)
      throws IOException {
    rounds
        .progress()
        .printf(
            "%s, round %d of %d: %,.0f alerts/s, p99 %.2f ms%s%n",
            name,
            round,
            rounds.count(),
            outcome.alertsPerSecond(),
            outcome.latencyMicros().getValueAtPercentile(99) / 1e3,
            stolen.text());
  }
}
