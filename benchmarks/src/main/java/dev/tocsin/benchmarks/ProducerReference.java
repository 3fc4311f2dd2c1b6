package dev.tocsin.benchmarks;

import dev.tocsin.broker.ChildJvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Kafka's own producer benchmark, {@code org.apache.kafka.tools.ProducerPerformance}, in a JVM of
 * its own: as many records a second as it can send, acks=all, with the edge's linger and
 * compression, to a topic with the log's settings.
 */
final class ProducerReference {
  private static final Pattern RESULT =
      Pattern.compile("^(\\d+) records sent, ([0-9.]+) records/sec");
  private static final int WARM_UP = 200_000;

  private final String bootstrap;
  private final String topic;
  private final int recordBytes;

  ProducerReference(String bootstrap, String topic, int recordBytes) {
    this.bootstrap = bootstrap;
    this.topic = topic;
    this.recordBytes = recordBytes;
  }

  /**
   * Sends {@code records} and gives how many a second that were, after a warm-up that is not
   * counted.
   */
  double run(long records) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                ChildJvm.command(
                    "org.apache.kafka.tools.ProducerPerformance",
                    List.of("-Xmx512m"),
                    List.of(
                        "--topic",
                        topic,
                        "--num-records",
                        Long.toString(WARM_UP + records),
                        "--warmup-records",
                        Integer.toString(WARM_UP),
                        "--record-size",
                        Integer.toString(recordBytes),
                        "--throughput",
                        "-1",
                        "--bootstrap-server",
                        bootstrap,
                        "--command-property",
                        "acks=all",
                        "linger.ms=0",
                        "compression.type=none")))
            .redirectErrorStream(true)
            .start();
    String last = null;
    StringBuilder said = new StringBuilder();
    try (var out =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        said.append(line).append('\n');
        last = RESULT.matcher(line).find() ? line : last; // the last such line is the whole run's
      }
    }
    if (process.waitFor() != 0 || last == null) {
      throw new IOException("Kafka's producer benchmark failed:\n" + said);
    }
    Matcher result = RESULT.matcher(last);
    result.find();
    return Double.parseDouble(result.group(2));
  }
}
