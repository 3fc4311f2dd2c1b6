package dev.tocsin.standalone;

import dev.tocsin.access.Access;
import dev.tocsin.broker.FreePorts;
import dev.tocsin.ingest.EdgeConfig;
import dev.tocsin.ops.OpsConfig;
import dev.tocsin.processor.ProcessorConfig;
import dev.tocsin.query.QueryConfig;
import dev.tocsin.query.StreamConfig;
import dev.tocsin.runtime.GrpcServer;
import dev.tocsin.runtime.Settings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/**
 * How all of it runs in one process. The parts read their own settings, as they do when they are
 * processes of their own; what ties them to one another is set here and cannot be set elsewhere.
 *
 * @param data the folder that holds everything kept: the broker's, the stores, the logs
 * @param grpc {@code edge.host}, {@code edge.port} (9000) and so on: the port of every service
 * @param opsHost {@code edge.ops-host}
 * @param opsPort {@code edge.ops-port} (9090); 0 for any free one
 * @param kafkaPort {@code broker.port} (9092), a free one already chosen where that is 0
 * @param partitions {@code log.partitions} (4) of a log that is yet to be made
 * @param stopMax {@code standalone.stop-max} (60s): how long an orderly end may take; then it is
 *     cut off
 */
public record StandaloneConfig(
    Path data,
    GrpcServer.Config grpc,
    Access.Config access,
    String opsHost,
    int opsPort,
    int kafkaPort,
    int partitions,
    Duration stopMax,
    EdgeConfig edge,
    ProcessorConfig processor,
    QueryConfig query,
    StreamConfig streams,
    OpsConfig ops) {
  static final String DATA = "data";
  static final String PORT = "edge.port";
  static final String OPS_PORT = "edge.ops-port";
  static final String KAFKA_PORT = "broker.port";

  /** The one state server's address: on no network, but of the form that Kafka Streams wants. */
  static final String IN_PROCESS = "inprocess:1";

  /**
   * Reads all settings and checks them.
   *
   * @throws Settings.SettingsException naming every fault of every part
   */
  public static StandaloneConfig read(Settings given) {
    Path data = data(given);
    int kafkaPort = kafkaPort(given);
    Map<String, String> ties = ties(data, kafkaPort);
    for (String name : ties.keySet()) {
      if (!given.text(name, "").isEmpty()) {
        given.fault(name, "must be left out: standalone sets it itself");
      }
    }
    Settings all = given.with(ties);
    StandaloneConfig config =
        new StandaloneConfig(
            data,
            GrpcServer.Config.read(all, "edge", 9000),
            Access.Config.read(all, "edge"),
            all.text("edge.ops-host", "127.0.0.1"),
            all.integer(OPS_PORT, 9090, 0, 65535),
            kafkaPort,
            all.integer("log.partitions", 4, 1, 1024),
            all.duration(
                "standalone.stop-max",
                Duration.ofSeconds(60),
                Duration.ofSeconds(1),
                Duration.ofMinutes(10)),
            EdgeConfig.read(all),
            ProcessorConfig.read(all),
            QueryConfig.read(all),
            StreamConfig.read(all),
            OpsConfig.read(all));
    all.check();
    return config;
  }

  /** The data folder alone, for what must be known before all else: where to log. */
  static Path data(Settings given) {
    Path home = Path.of(System.getProperty("user.home"), ".tocsin");
    return Path.of(given.text(DATA, home.toString())).toAbsolutePath().normalize();
  }

  private static Map<String, String> ties(Path data, int kafkaPort) {
    Map<String, String> ties = new TreeMap<>();
    ties.put("kafka.bootstrap.servers", "127.0.0.1:" + kafkaPort);
    ties.put("processor.address", IN_PROCESS);
    // The group then knows this process again after a crash, and waits for no one.
    ties.put("processor.instance-id", "standalone");
    ties.put(ProcessorConfig.STANDBYS, "0"); // there is no other instance to hold them
    // Nor to take over: so let it outlast a broker that pauses.
    ties.put(ProcessorConfig.SESSION_TIMEOUT, "60s");
    ties.put("processor.state-folder", DataFolder.state(data).toString());
    ties.put("query.processors", IN_PROCESS);
    ties.put(StreamConfig.TOKEN_KEY_FILE, DataFolder.tokenKey(data).toString());
    return ties;
  }

  private static int kafkaPort(Settings settings) {
    int port = settings.integer(KAFKA_PORT, 9092, 0, 65535);
    try {
      return port == 0 ? FreePorts.choose(0) : port;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
