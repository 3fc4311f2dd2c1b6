package dev.tocsin.benchmarks;

import dev.tocsin.broker.BrokerProcess;
import dev.tocsin.processor.LogTopics;
import dev.tocsin.schemas.Topics;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What edges are measured on: a broker, and an edge of each kind that is asked for, each a process
 * of its own, in a folder that goes afterwards.
 */
final class EdgeStand implements AutoCloseable {
  static final int PARTITIONS = 4;

  private static final Duration STOP_MAX = Duration.ofSeconds(30);
  private static final Pattern PORT = Pattern.compile("gRPC on port (\\d+)");

  private final Path folder;
  private final Topics topics = Topics.DEFAULT;
  private BrokerProcess broker;
  private final Map<EdgeKind, EdgeTarget> targets = new EnumMap<>(EdgeKind.class);
  private final List<Process> edges = new ArrayList<>();

  private EdgeStand(Path folder) {
    this.folder = folder;
  }

  static EdgeStand start() throws IOException {
    EdgeStand stand = new EdgeStand(Files.createTempDirectory("tocsin-bench"));
    try {
      stand.broker = BrokerProcess.start(stand.folder.resolve("kafka"), 0, Optional.empty());
      LogTopics.create(stand.kafka(), stand.topics, PARTITIONS, 1);
      return stand;
    } catch (RuntimeException e) {
      stand.close();
      throw e;
    }
  }

  Map<String, String> kafka() {
    return Map.of("bootstrap.servers", broker.bootstrap());
  }

  String bootstrap() {
    return broker.bootstrap();
  }

  /** An edge of this kind, started when it is first asked for. */
  EdgeTarget edge(EdgeKind kind) throws IOException {
    EdgeTarget target = targets.get(kind);
    if (target == null) {
      Path own = Files.createDirectory(folder.resolve(kind.name()));
      List<String> settings = kind.settings(own);
      target = new EdgeTarget(startEdge(own, settings), kind.credentials(own), kind.token());
      target.awaitServing();
      targets.put(kind, target);
    }
    return target;
  }

  private int startEdge(Path own, List<String> more) throws IOException {
    List<String> settings = new ArrayList<>(more);
    settings.addAll(
        List.of(
            "kafka.bootstrap.servers=" + broker.bootstrap(),
            "log.prefix=" + topics.prefix(),
            "edge.port=0",
            "edge.ops-port=0"));
    Path file = Files.write(own.resolve("edge.properties"), settings);
    Path log = own.resolve("edge.log");
    Process edge =
        new ProcessBuilder(
                java("dev.tocsin.ingest.EdgeMain", List.of("-Xmx512m"), List.of(file.toString())))
            .redirectError(log.toFile())
            .start();
    edges.add(edge);
    BufferedReader out =
        new BufferedReader(new InputStreamReader(edge.getInputStream(), StandardCharsets.UTF_8));
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      Matcher said = PORT.matcher(line);
      if (said.find()) {
        return Integer.parseInt(said.group(1));
      }
    }
    throw new IOException("the edge did not start: " + Files.readString(log));
  }

  /** A command that runs a class of this JVM's class path in a JVM of its own. */
  static List<String> java(String main, List<String> flags, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
    command.addAll(arguments);
    return command;
  }

  @Override
  public void close() throws IOException {
    edges.forEach(EdgeStand::stop);
    if (broker != null) {
      broker.close();
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    }
  }

  static void stop(Process process) {
    process.destroy();
    try {
      if (!process.waitFor(STOP_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
