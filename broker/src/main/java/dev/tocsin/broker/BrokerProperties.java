package dev.tocsin.broker;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;

/**
 * The broker's {@code server.properties}: one node that is broker and controller, reachable from
 * this machine only, its few partitions kept small. What it does not name is Kafka's default, and
 * flushing to disk above all.
 *
 * @see <a href="https://kafka.apache.org/documentation/#brokerconfigs">broker settings</a>
 */
final class BrokerProperties {
  static final int NODE_ID = 1;
  static final String HOST = "127.0.0.1";
  static final String CONTROLLER_LISTENER = "CONTROLLER";

  /** The log's greatest record batch, 6 MiB, and room for what Kafka adds around it. */
  static final int MESSAGE_BYTES_MAX = (6 << 20) + (64 << 10);

  private static final String COORDINATOR_PARTITIONS = "4";

  private static final Map<String, String> FIXED =
      Map.ofEntries(
          Map.entry("process.roles", "broker,controller"),
          Map.entry("node.id", Integer.toString(NODE_ID)),
          Map.entry("controller.listener.names", CONTROLLER_LISTENER),
          Map.entry("inter.broker.listener.name", "PLAINTEXT"),
          Map.entry("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"),
          Map.entry("auto.create.topics.enable", "false"),
          Map.entry("default.replication.factor", "1"),
          Map.entry("min.insync.replicas", "1"),
          Map.entry("offsets.topic.num.partitions", COORDINATOR_PARTITIONS),
          Map.entry("offsets.topic.replication.factor", "1"),
          Map.entry("transaction.state.log.num.partitions", COORDINATOR_PARTITIONS),
          Map.entry("transaction.state.log.replication.factor", "1"),
          Map.entry("transaction.state.log.min.isr", "1"),
          Map.entry("share.coordinator.state.topic.num.partitions", "1"),
          Map.entry("share.coordinator.state.topic.replication.factor", "1"),
          Map.entry("share.coordinator.state.topic.min.isr", "1"),
          Map.entry("group.coordinator.threads", "1"),
          Map.entry("share.coordinator.threads", "1"),
          Map.entry("group.initial.rebalance.delay.ms", "0"),
          Map.entry("num.network.threads", "2"),
          Map.entry("num.io.threads", "4"),
          // On the heap, and taken whole: the default of 128 MiB would be a quarter of it.
          Map.entry("log.cleaner.dedupe.buffer.size", Integer.toString(32 << 20)),
          Map.entry("message.max.bytes", Integer.toString(MESSAGE_BYTES_MAX)),
          Map.entry("replica.fetch.max.bytes", Integer.toString(MESSAGE_BYTES_MAX)),
          // After a kill the controller waits this long before it believes that the broker which it
          // remembers is gone; Kafka's 9 s would be most of a start.
          Map.entry("broker.session.timeout.ms", "3000"),
          Map.entry("broker.heartbeat.interval.ms", "500"),
          // Each of these empty records is flushed to the disk; nobody watches a lone node for lag.
          Map.entry("metadata.max.idle.interval.ms", "5000"));

  private BrokerProperties() {}

  /**
   * Writes {@code server.properties} for a start on these ports. The voters are named afresh each
   * time, so that ports may change from one start to the next.
   *
   * @return where it stands
   */
  static Path write(BrokerFolder folder, int brokerPort, int controllerPort) throws IOException {
    Properties properties = new Properties();
    properties.putAll(FIXED);
    properties.setProperty("log.dirs", folder.logs().toString());
    properties.setProperty(
        "listeners",
        "PLAINTEXT://%s:%d,%s://%s:%d"
            .formatted(HOST, brokerPort, CONTROLLER_LISTENER, HOST, controllerPort));
    properties.setProperty(
        "controller.quorum.voters", "%d@%s:%d".formatted(NODE_ID, HOST, controllerPort));
    Path file = folder.properties();
    try (Writer out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
      properties.store(out, "Written anew at each start: changes made here are lost.");
    }
    return file;
  }
}
