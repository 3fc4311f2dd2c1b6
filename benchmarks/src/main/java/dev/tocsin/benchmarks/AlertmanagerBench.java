package dev.tocsin.benchmarks;

import java.io.IOException;
import java.nio.file.Path;

/** {@code edge-alertmanager}: batches to the edge, against the same to Prometheus' Alertmanager. */
final class AlertmanagerBench {
  private final EdgeStand stand;
  private final Rounds rounds;

  AlertmanagerBench(EdgeStand stand, Rounds rounds) {
    this.stand = stand;
    this.rounds = rounds;
  }

  /**
   * Measures.
   *
   * @throws MissingProgramException if there is no Alertmanager or no wrk; nothing is started then
   */
  BenchResult run() throws IOException, InterruptedException {
    MissingProgramException.require(Alertmanager.PROGRAM, WrkLoad.PROGRAM);
    Path folder = stand.newFolder("alertmanager");
    try (Alertmanager alertmanager = Alertmanager.start(folder)) {
      WrkLoad posts = WrkLoad.prepare(folder, alertmanager.address());
      rounds.warmUp("edge-alertmanager, Alertmanager", posts::run);
      return new EdgeBench(stand, rounds)
          .run(
              "edge-alertmanager",
              EdgeKind.PLAIN,
              EdgeRequests.batchStreams(),
              EdgeRequests.distinctBatches(),
              () -> posts.run(rounds.measured()));
    }
  }
}
