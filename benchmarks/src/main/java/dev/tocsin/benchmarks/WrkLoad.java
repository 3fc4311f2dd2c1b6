package dev.tocsin.benchmarks;

import dev.tocsin.proto.alerts.AlertMessage;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Posts batches of a hundred alerts to an Alertmanager by {@code wrk}: each of the storm's
 * conditions once, then again. Requests are made before the time is taken.
 */
final class WrkLoad {
  static final String PROGRAM = "wrk";

  private static final int CONNECTIONS = 8;
  private static final Pattern RESULT = Pattern.compile("posts (\\d+) micros (\\d+) errors (\\d+)");
  private static final String SCRIPT =
      """
      local requests = {}
      local headers = { ["Content-Type"] = "application/json" }
      local last = 0

      function init(args)
        for body in io.lines(args[1]) do
          requests[#requests + 1] = wrk.format("POST", nil, headers, body)
        end
      end

      function request()
        last = last % #requests + 1
        return requests[last]
      end

      function done(summary, latency, requests)
        local e = summary.errors
        local errors = e.connect + e.read + e.write + e.status + e.timeout
        print(string.format("posts %d micros %d errors %d", summary.requests, summary.duration, errors))
      end
      """;

  private final Path script;
  private final Path bodies;
  private final String url;

  private WrkLoad(Path script, Path bodies, String url) {
    this.script = script;
    this.bodies = bodies;
    this.url = url;
  }

  /**
   * Writes the requests.
   *
   * @param address of the Alertmanager
   */
  static WrkLoad prepare(Path folder, String address) throws IOException {
    Path bodies = folder.resolve("bodies");
    try (BufferedWriter out = Files.newBufferedWriter(bodies)) {
      for (int i = 0; i < StormAlerts.FINGERPRINTS; i += EdgeRequests.BATCH) {
        out.write(body(i));
        out.newLine();
      }
    }
    Path script = Files.writeString(folder.resolve("posts.lua"), SCRIPT);
    return new WrkLoad(script, bodies, "http://" + address + "/api/v2/alerts");
  }

  /**
   * Posts for a time, in whole seconds.
   *
   * @return alerts a second
   * @throws IOException if any post failed
   */
  double run(Duration time) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                List.of(
                    PROGRAM,
                    "--threads=1",
                    "--connections=" + CONNECTIONS,
                    "--duration=" + Math.max(1, time.toSeconds()) + "s",
                    "--script=" + script,
                    url,
                    "--",
                    bodies.toString()))
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Matcher result = RESULT.matcher(said);
    if (process.waitFor() != 0 || !result.find() || !result.group(3).equals("0")) {
      throw new IOException("wrk failed:\n" + said);
    }
    return Double.parseDouble(result.group(1))
        * EdgeRequests.BATCH
        / (Double.parseDouble(result.group(2)) / 1e6);
  }

  private static String body(int from) {
    StringJoiner alerts = new StringJoiner(",", "[", "]");
    for (int i = from; i < from + EdgeRequests.BATCH; i++) {
      alerts.add(json(StormAlerts.of("", i)));
    }
    return alerts.toString();
  }

  /**
   * The fields that the edge is sent, as Alertmanager has them: the identifying ones are labels.
   */
  private static String json(AlertMessage alert) {
    Map<String, String> labels = new TreeMap<>(alert.getLabelsMap());
    labels.put("alertname", alert.getTitle());
    labels.put("source", alert.getSource());
    labels.put("severity", alert.getSeverity().name());
    labels.put("type", alert.getType().name());
    return "{\"labels\":%s,\"annotations\":%s}"
        .formatted(object(labels), object(Map.of("description", alert.getDescription())));
  }

  /** Without escapes: the storm's texts need none. */
  private static String object(Map<String, String> pairs) {
    StringJoiner object = new StringJoiner(",", "{", "}");
    pairs.forEach((name, value) -> object.add("\"%s\":\"%s\"".formatted(name, value)));
    return object.toString();
  }
}
