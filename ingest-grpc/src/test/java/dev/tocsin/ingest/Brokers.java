package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.broker.FreePorts;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.metadata.storage.Formatter;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A Kafka cluster of processes, each of which can be stopped, killed and started again. Node 1 is a
 * broker and the only controller; the others are brokers.
 */
final class Brokers implements AutoCloseable {
  private static final int LINES_MAX = 20;
  private static final Duration START_MAX = Duration.ofSeconds(90);

  private static final Map<String, String> SETTINGS =
      Map.ofEntries(
          Map.entry("controller.listener.names", "CONTROLLER"),
          Map.entry("inter.broker.listener.name", "PLAINTEXT"),
          Map.entry("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"),
          Map.entry("auto.create.topics.enable", "false"),
          Map.entry("offsets.topic.num.partitions", "1"),
          Map.entry("group.initial.rebalance.delay.ms", "0"),
          Map.entry("num.network.threads", "2"),
          Map.entry("num.io.threads", "4"),
          Map.entry("log.cleaner.dedupe.buffer.size", Integer.toString(8 << 20)),
          Map.entry("message.max.bytes", Integer.toString(7 << 20)),
          Map.entry("replica.fetch.max.bytes", Integer.toString(7 << 20)),
          // How soon a node that is silent is taken for dead; Kafka's 9 s would be waited for
          // often.
          Map.entry("broker.session.timeout.ms", "5000"),
          Map.entry("broker.heartbeat.interval.ms", "500"));

  private final Path folder;
  private final Map<String, String> settings;
  private final String clusterId = Uuid.randomUuid().toString();
  private final int controllerPort;
  private final List<Integer> ports = new ArrayList<>();
  private final List<Process> nodes = new ArrayList<>();

  private Brokers(Path folder, int count, Map<String, String> settings) throws IOException {
    this.folder = folder;
    this.settings = settings;
    Set<Integer> chosen = new HashSet<>();
    while (chosen.size() < count + 1) {
      chosen.add(FreePorts.choose(0));
    }
    ports.addAll(chosen);
    controllerPort = ports.remove(count);
  }

  /** A cluster that answers; {@code settings} over its own, of every node. */
  static Brokers start(Path folder, int count, Map<String, String> settings) throws Exception {
    Brokers brokers = new Brokers(folder, count, settings);
    try {
      for (int node = 1; node <= count; node++) {
        brokers.format(node);
        brokers.nodes.add(brokers.launch(node));
      }
      brokers.awaitAll();
      return brokers;
    } catch (ConditionTimeoutException e) {
      brokers.close();
      throw new AssertionError("the cluster does not come up: " + brokers.said(), e);
    }
  }

  String bootstrap() {
    return ports.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
  }

  /** The last of what each node has logged. */
  private String said() throws IOException {
    StringBuilder said = new StringBuilder();
    for (int node = 1; node <= ports.size(); node++) {
      for (String ending : List.of(".out", ".log")) {
        Path file = folder.resolve("node" + node + ending);
        List<String> lines = Files.exists(file) ? Files.readAllLines(file) : List.of();
        lines
            .subList(Math.max(0, lines.size() - LINES_MAX), lines.size())
            .forEach(line -> said.append('\n').append(line));
      }
    }
    return said.toString();
  }

  /** Until every node is one of the cluster. */
  void awaitAll() {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap()))) {
      Awaitility.await()
          .atMost(START_MAX)
          .pollInterval(Duration.ofMillis(100))
          .ignoreExceptions()
          .until(() -> admin.describeCluster().nodes().get().size() == nodes.size());
    }
  }

  /** SIGKILL. */
  void kill(int node) throws InterruptedException {
    nodes.get(node - 1).destroyForcibly().waitFor();
  }

  /** Starts a node that was killed. */
  void revive(int node) throws IOException {
    nodes.set(node - 1, launch(node));
  }

  /** SIGSTOP: it is there and does nothing. */
  void stop(int node) throws Exception {
    signal("STOP", node);
  }

  /** SIGCONT. */
  void goOn(int node) throws Exception {
    signal("CONT", node);
  }

  private void signal(String signal, int node) throws Exception {
    long pid = nodes.get(node - 1).pid();
    Process kill = new ProcessBuilder("sh", "-c", "kill -" + signal + " " + pid).start();
    assertThat(kill.waitFor(5, TimeUnit.SECONDS)).isTrue();
    assertThat(kill.exitValue()).isZero();
  }

  private void format(int node) throws Exception {
    Files.createDirectories(logs(node));
    Properties properties = new Properties();
    properties.putAll(SETTINGS);
    properties.putAll(settings);
    properties.setProperty("node.id", Integer.toString(node));
    properties.setProperty("log.dirs", logs(node).toString());
    properties.setProperty("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
    String listener = "PLAINTEXT://127.0.0.1:" + ports.get(node - 1);
    boolean controls = node == 1;
    properties.setProperty("process.roles", controls ? "broker,controller" : "broker");
    properties.setProperty(
        "listeners", controls ? listener + ",CONTROLLER://127.0.0.1:" + controllerPort : listener);
    try (Writer out = Files.newBufferedWriter(file(node))) {
      properties.store(out, null);
    }
    new Formatter()
        .setPrintStream(
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
        .setClusterId(clusterId)
        .setNodeId(node)
        .setControllerListenerName("CONTROLLER")
        .setMetadataLogDirectory(logs(node).toString())
        .addDirectory(logs(node).toString())
        .run();
  }

  private Process launch(int node) throws IOException {
    ProcessBuilder child =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dlog4j2.configurationFile=classpath:dev/tocsin/broker/broker-log4j2.xml",
            "-Dtocsin.broker.log=" + folder.resolve("node" + node + ".log"),
            "-cp",
            System.getProperty("java.class.path"),
            BrokerNode.class.getName(),
            file(node).toString());
    return child
        .redirectErrorStream(true)
        .redirectOutput(
            ProcessBuilder.Redirect.appendTo(folder.resolve("node" + node + ".out").toFile()))
        .start();
  }

  private Path logs(int node) {
    return folder.resolve("node" + node);
  }

  private Path file(int node) {
    return folder.resolve("node" + node + ".properties");
  }

  @Override
  public void close() throws InterruptedException {
    for (Process node : nodes) {
      node.destroyForcibly().waitFor();
    }
  }
}
