package dev.tocsin.chaos;

import dev.tocsin.broker.BrokerProcess;
import dev.tocsin.broker.FreePorts;
import dev.tocsin.schemas.Topics;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A broker, processors, a query-service and an edge, each a process of its own, on loopback and in
 * one folder. Sessions are as short as Kafka allows, so that faults are noticed soon. Thread-safe
 * so far as that it can be closed while it is used.
 */
final class Cluster implements AutoCloseable {
  static final int PARTITIONS = 6;
  static final Topics TOPICS = new Topics("chaos", "g1");

  /** What Kafka takes by default at least; transactions end in two thirds of it. */
  static final int SESSION_SECONDS = 6;

  private final Path folder;
  private final int kafkaPort;
  private final List<Member> processors = new ArrayList<>();
  private final Member query;
  private final Member edge;
  private volatile BrokerProcess broker;
  private boolean closed;

  /** Chooses the ports; nothing is started yet. */
  Cluster(Path folder, int processorCount) throws IOException {
    this.folder = folder;
    this.kafkaPort = FreePorts.choose(0);
    for (int i = 0; i < processorCount; i++) {
      processors.add(new Member(folder, "processor-" + i, WatchedMain.Part.PROCESSOR));
    }
    query = new Member(folder, "query", WatchedMain.Part.QUERY);
    edge = new Member(folder, "edge", WatchedMain.Part.EDGE);
    configure();
  }

  private void configure() throws IOException {
    String kafka = "kafka.bootstrap.servers=" + bootstrap();
    String prefix = "log.prefix=" + TOPICS.prefix();
    for (Member each : processors) {
      each.configure(
          List.of(
              kafka,
              prefix,
              "log.partitions=" + PARTITIONS,
              "log.replicas=1",
              "processor.port=" + each.port(),
              "processor.ops-port=0",
              "processor.address=127.0.0.1:" + each.port(),
              "processor.instance-id=" + each.name(),
              "processor.session-timeout=" + SESSION_SECONDS + "s",
              "processor.threads=1",
              "processor.rocksdb-mib-max=32",
              "processor.state-folder=" + state(each)));
    }
    query.configure(
        List.of(
            kafka,
            prefix,
            "query.port=" + query.port(),
            "ops.port=0",
            "query.token-secret=" + UUID.randomUUID(),
            "query.processors="
                + processors.stream()
                    .map(each -> "127.0.0.1:" + each.port())
                    .collect(Collectors.joining(","))));
    edge.configure(
        List.of(
            kafka,
            prefix,
            "edge.port=" + edge.port(),
            "edge.ops-port=0",
            "edge.forward-to=127.0.0.1:" + query.port()));
  }

  /** Starts all of it at once; nobody serves yet when this returns. */
  void start() throws IOException {
    startBroker();
    for (Member each : members()) {
      each.start();
    }
  }

  String bootstrap() {
    return "127.0.0.1:" + kafkaPort;
  }

  List<Member> processors() {
    return processors;
  }

  Member query() {
    return query;
  }

  Member edge() {
    return edge;
  }

  /** Both ways to the API of incidents: by the edge, which forwards, and straight. */
  List<ManagedChannel> ways() {
    return List.of(edge.channel(), query.channel());
  }

  /** In the order of a rolling restart: who writes what another reads comes after it. */
  List<Member> members() {
    List<Member> all = new ArrayList<>();
    all.add(query);
    all.addAll(processors);
    all.add(edge);
    return all;
  }

  /** Where a processor keeps its stores. */
  Path state(Member processor) {
    return folder.resolve(processor.name() + "-state");
  }

  void killBroker() {
    broker.kill();
  }

  /** A broker on the same folder and port. */
  synchronized void startBroker() throws IOException {
    if (closed) {
      throw new IOException("the run is ending");
    }
    broker = BrokerProcess.start(folder.resolve("kafka"), kafkaPort, Optional.empty());
  }

  void stopBroker() throws IOException, InterruptedException {
    Member.signal("STOP", broker.pid());
  }

  void continueBroker() throws IOException, InterruptedException {
    Member.signal("CONT", broker.pid());
  }

  /** What keeps any of those that are meant to run from serving; empty if all serve. */
  Optional<String> trouble() {
    if (!broker.isAlive()) {
      return Optional.of("the broker ended by itself");
    }
    return members().stream().map(Member::trouble).flatMap(Optional::stream).findFirst();
  }

  /** Ends everything by force; the folder stays. */
  @Override
  public void close() {
    members().forEach(Member::close);
    synchronized (this) {
      closed = true;
      if (broker != null) {
        broker.kill();
      }
    }
  }

  /** Removes a folder and all that is in it, if it is there. */
  static void remove(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    }
  }
}
