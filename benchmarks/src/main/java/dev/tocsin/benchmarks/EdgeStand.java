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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What an edge is measured on: a broker and an edge, each a process of its own, in a folder that
 * goes afterwards.
 */
final class EdgeStand implements AutoCloseable {
  static final int PARTITIONS = 4;

  private static final Duration STOP_MAX = Duration.ofSeconds(30);
  private static final Pattern PORT = Pattern.compile("gRPC on port (\\d+)");

  private final Path folder;
  private final Topics topics = Topics.DEFAULT;
  private BrokerProcess broker;
  private Process edge;
  private int port;

  private EdgeStand(Path folder) {
    this.folder = folder;
  }

  static EdgeStand start() throws IOException {
    EdgeStand stand = new EdgeStand(Files.createTempDirectory("tocsin-bench"));
    try {
      stand.broker = BrokerProcess.start(stand.folder.resolve("kafka"), 0, Optional.empty());
      LogTopics.create(stand.kafka(), stand.topics, PARTITIONS, 1);
      stand.startEdge();
      return stand;
    } catch (IOException | RuntimeException e) {
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

  /** Where the edge answers. */
  int port() {
    return port;
  }

  private void startEdge() throws IOException {
    Path settings = folder.resolve("edge.properties");
    Files.write(
        settings,
        List.of(
            "kafka.bootstrap.servers=" + broker.bootstrap(),
            "log.prefix=" + topics.prefix(),
            "edge.port=0",
            "edge.ops-port=0"));
    edge =
        new ProcessBuilder(
                java(
                    "dev.tocsin.ingest.EdgeMain",
                    List.of("-Xmx512m"),
                    List.of(settings.toString())))
            .redirectError(folder.resolve("edge.log").toFile())
            .start();
    BufferedReader out =
        new BufferedReader(new InputStreamReader(edge.getInputStream(), StandardCharsets.UTF_8));
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      Matcher said = PORT.matcher(line);
      if (said.find()) {
        port = Integer.parseInt(said.group(1));
        return;
      }
    }
    throw new IOException(
        "the edge did not start: " + Files.readString(folder.resolve("edge.log")));
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
    if (edge != null) {
      stop(edge);
    }
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
