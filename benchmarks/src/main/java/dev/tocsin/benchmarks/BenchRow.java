package dev.tocsin.benchmarks;

import java.io.IOException;
import java.util.List;

/**
 * A row of the table: what is measured, against what, and what it has to reach.
 *
 * @param what a line or two, for the help
 */
record BenchRow(String name, List<String> what, Bar bar, Bench bench) {
  private static final double EDGE_RSS_MIB_MAX = 768;

  /** Measures. */
  interface Bench {
    BenchResult run(EdgeStand stand, Rounds rounds) throws IOException, InterruptedException;
  }

  /** All of them, in the order in which they run and are shown. */
  static final List<BenchRow> ALL =
      List.of(
          new BenchRow(
              "edge-alert",
              List.of("check, keys and bytes of one alert in the edge, by JMH"),
              Bar.oursBelow(2, "us"),
              (stand, rounds) -> new AlertBench(stand, rounds).run()),
          new BenchRow(
              "edge-stream",
              List.of(
                  "StreamAlerts, one alert a message, each acked by acks=all,",
                  "against Kafka's own producer benchmark"),
              Bar.ratioAtLeast(0.6),
              (stand, rounds) -> new EdgeBench(stand, rounds).stream()),
          new BenchRow(
              "edge-batch",
              List.of("StreamAlertBatches of 100, against the same"),
              Bar.ratioAtLeast(0.9),
              (stand, rounds) -> new EdgeBench(stand, rounds).batch()),
          new BenchRow(
              "edge-stream-jwt",
              List.of("edge-stream of callers with tokens, against one without"),
              Bar.ratioAtLeast(0.85),
              (stand, rounds) -> new EdgeBench(stand, rounds).streamWithTokens()),
          new BenchRow(
              "edge-stream-tls",
              List.of("edge-stream over TLS, against one without"),
              Bar.ratioAtLeast(0.65),
              (stand, rounds) -> new EdgeBench(stand, rounds).streamWithTls()),
          new BenchRow(
              "edge-latency",
              List.of(
                  "acks at half of the edge's maximum, which is the reference;",
                  "latency counts from when an alert was due"),
              Bar.p99Below(25).and(Bar.figureAtMost("refused", 0)),
              (stand, rounds) -> new LatencyBench(stand, rounds).latency()),
          new BenchRow(
              "edge-many",
              List.of("2,000 streams of 20 alerts a second each, and the edge's memory"),
              Bar.p99Below(100)
                  .and(Bar.figureAtMost("refused", 0))
                  .and(Bar.figureAtMost("rss_peak_mib", EDGE_RSS_MIB_MAX)),
              (stand, rounds) -> new LatencyBench(stand, rounds).many()),
          new BenchRow(
              "edge-slow",
              List.of(
                  "p99 of a stream beside 200 that never read their acks, against the",
                  "same without them; and the edge's memory, which must stay flat"),
              Bar.ratioAtMost(2)
                  .and(Bar.figureAtMost("heap_growth_mib", 8))
                  .and(Bar.figureAtMost("rss_growth_mib", 64))
                  .and(Bar.figureAtMost("in_flight_after_bytes", 0)),
              (stand, rounds) -> new SlowBench(stand, rounds).run()),
          new BenchRow(
              "edge-alertmanager",
              List.of(
                  "StreamAlertBatches of 100, against Prometheus' Alertmanager under wrk;",
                  "needs prometheus-alertmanager and wrk on the PATH"),
              Bar.ratioAtLeast(2.5),
              (stand, rounds) -> new AlertmanagerBench(stand, rounds).run()));
}
