package dev.tocsin.benchmarks;

import dev.tocsin.broker.ChildJvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An edge as a process of its own, and what can be seen of it from outside. */
final class EdgeProcess implements AutoCloseable {
  /** The heap's bound. By it the JVM bounds what the transport holds outside the heap, too. */
  static final List<String> FLAGS = List.of("-Xmx512m");

  private static final Pattern STARTED =
      Pattern.compile("gRPC on port (\\d+), metrics and health on port (\\d+)");
  private static final Duration METRICS_MAX = Duration.ofSeconds(10);

  private final Process process;
  private final int opsPort;
  private final EdgeTarget target;
  private final HttpClient http = HttpClient.newHttpClient();

  private EdgeProcess(Process process, int opsPort, EdgeTarget target) {
    this.process = process;
    this.opsPort = opsPort;
    this.target = target;
  }

  /**
   * Starts an edge and waits until it takes alerts.
   *
   * @param folder its own, for its settings and its log
   * @param settings where the log is
   */
  static EdgeProcess start(Path folder, EdgeKind kind, List<String> settings) throws IOException {
    List<String> all = new ArrayList<>(kind.settings(folder));
    all.addAll(settings);
    all.addAll(List.of("edge.port=0", "edge.ops-port=0"));
    Path file = Files.write(folder.resolve("edge.properties"), all);
    Path log = folder.resolve("edge.log");
    Process process =
        new ProcessBuilder(
                ChildJvm.command("dev.tocsin.ingest.EdgeMain", FLAGS, List.of(file.toString())))
            .redirectError(log.toFile())
            .start();
    try {
      Matcher ports = awaitStart(process, log);
      EdgeTarget target =
          new EdgeTarget(Integer.parseInt(ports.group(1)), kind.credentials(folder), kind.token());
      target.awaitServing();
      return new EdgeProcess(process, Integer.parseInt(ports.group(2)), target);
    } catch (IOException | RuntimeException e) {
      ChildProcess.stop(process);
      throw e;
    }
  }

  private static Matcher awaitStart(Process process, Path log) throws IOException {
    BufferedReader out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      Matcher said = STARTED.matcher(line);
      if (said.find()) {
        return said;
      }
    }
    throw new IOException("the edge did not start: " + Files.readString(log));
  }

  EdgeTarget target() {
    return target;
  }

  /** The most that it ever had resident, as Linux counts it. */
  double residentPeakMib() throws IOException {
    return ProcessMemory.residentPeakMib(process.pid());
  }

  /** What it has resident now. */
  double residentMib() throws IOException {
    return ProcessMemory.residentMib(process.pid());
  }

  /** Its heap after a garbage collection. */
  double heapMib() throws IOException, InterruptedException {
    ChildProcess.run(List.of(ChildProcess.jdkTool("jcmd"), Long.toString(process.pid()), "GC.run"));
    return metric("jvm_memory_used_bytes{area=\"heap\"") / (1 << 20);
  }

  /** Alerts' bytes that the log has not answered. */
  double inFlightBytes() throws IOException, InterruptedException {
    return metric("tocsin_edge_in_flight_bytes ");
  }

  /** The sum over all series whose line begins so. */
  private double metric(String prefix) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/metrics".formatted(opsPort)))
            .timeout(METRICS_MAX)
            .build();
    List<String> series =
        http.send(request, HttpResponse.BodyHandlers.ofString())
            .body()
            .lines()
            .filter(line -> line.startsWith(prefix))
            .toList();
    if (series.isEmpty()) {
      throw new IOException("the edge shows no metric " + prefix.strip());
    }
    return series.stream()
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  @Override
  public void close() {
    ChildProcess.stop(process);
  }
}
