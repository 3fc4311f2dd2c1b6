package dev.tocsin.standalone;

import java.time.Duration;
import java.util.Locale;

/** What is printed when it serves: where everything is, and what to try. */
final class Banner {
  private Banner() {}

  static String of(
      StandaloneConfig config,
      String grpc,
      String metrics,
      String kafka,
      long brokerPid,
      Duration took) {
    return String.format(
        Locale.ROOT,
        """
        Tocsin is up, after %.1f s.

          gRPC     %s (every service, health, reflection)
          metrics  %s/metrics, and /ready, /live
          Kafka    %s (its own broker, process %d)
          data     %s
          log      %s

        Try, from another terminal:

          ./tocsin alert send --server %s --source me --title "Disk full" --severity P2
          ./tocsin incident list --server %s
          grpcurl -plaintext -d '{"source": "me", "title": "High latency", "severity": 2}' %s alerts.AlertIngestion/SubmitAlert
          curl -s %s/metrics | grep grpc_

        Ctrl-C ends it. What was acknowledged stays in the data folder.
        """,
        took.toMillis() / 1000.0,
        grpc,
        metrics,
        kafka,
        brokerPid,
        config.data(),
        DataFolder.logFile(config.data()),
        grpc,
        grpc,
        grpc,
        metrics);
  }
}
