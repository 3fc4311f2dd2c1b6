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

  /** A heap of 512 MiB, and 256 beside it. */
  private static final double PROCESSOR_RSS_MIB_MAX = 768;

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
              (stand, rounds) -> new AlertmanagerBench(stand, rounds).run()),
          new BenchRow(
              "processor-storm",
              List.of(
                  "the processor on a backlog of the storm's alerts, against a stock Streams",
                  "count by fingerprint, one alert a record, exactly once as well"),
              Bar.ratioAtLeast(1.0),
              (stand, rounds) ->
                  new FoldBench(stand, rounds)
                      .run("storm", FoldBench.FAST_ALERTS, () -> new StormAlerts(1, ""))),
          new BenchRow(
              "processor-uniform",
              List.of("the same with 1,000,000 fingerprints, each as likely"),
              Bar.ratioAtLeast(0.6),
              (stand, rounds) ->
                  new FoldBench(stand, rounds)
                      .run("uniform", FoldBench.SLOW_ALERTS, () -> new UniformAlerts(1))),
          new BenchRow(
              "processor-hot",
              List.of("processor-storm where one condition has half of all alerts"),
              Bar.NONE,
              (stand, rounds) ->
                  new FoldBench(stand, rounds)
                      .run("hot", FoldBench.FAST_ALERTS, () -> new HotAlerts(1))),
          new BenchRow(
              "pipeline",
              List.of(
                  "the storm in batches through an edge into a processor, applied alerts a second",
                  "for a minute without a growing lag, against Kafka's own producer benchmark"),
              Bar.ratioAtLeast(0.3),
              (stand, rounds) -> new PipelineBench(stand, rounds).run()),
          new BenchRow(
              "latency",
              List.of(
                  "from an alert's sending until its incident can be read, and until a subscriber",
                  "has the event, at 2,000 alerts a second through edge, processor, query-service"),
              Bar.p50AtMost(10).and(Bar.p99Below(50)).and(Bar.figureAtMost("event_p99_ms", 250)),
              (stand, rounds) -> new PathBench(stand, rounds).run()),
          new BenchRow(
              "receipts",
              List.of("an hour of receipts at 50,000 alerts a second, in a heap of 512 MiB"),
              Bar.NONE,
              (stand, rounds) -> new ReceiptBench(stand, rounds).run()),
          new BenchRow(
              "restore",
              List.of(
                  "a processor with 1,000,000 incidents is killed: until it answers for all again,",
                  "against a plain consumer that reads the changelog once"),
              Bar.NONE,
              (stand, rounds) -> new RestoreBench(stand, rounds).run()),
          new BenchRow(
              "memory",
              List.of(
                  "1,000,000 open incidents and 2,000 alerts a second to any of them, in a heap of",
                  "512 MiB under the serial collector: what is resident, and that nothing is left",
                  "behind"),
              Bar.figureAtMost("rss_peak_mib", PROCESSOR_RSS_MIB_MAX)
                  .and(Bar.figureAtMost("behind_at_end_ms", 1_000))
                  .and(Bar.figureAtMost("refused", 0)),
              (stand, rounds) -> new MemoryBench(stand, rounds).run()),
          new BenchRow(
              "processor-flink",
              List.of(
                  "processor-storm against the same job in Flink, with RocksDB, checkpoints each",
                  "second and exactly once as well; asked for by name, it is fetched and built"),
              Bar.ratioAtLeast(1.5),
              (stand, rounds) -> new FoldBench(stand, rounds).flink()));
}
