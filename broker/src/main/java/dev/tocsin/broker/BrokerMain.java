package dev.tocsin.broker;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.metadata.storage.Formatter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The broker's own process: {@code BrokerMain FOLDER PORT}, started by {@link BrokerProcess} and
 * ended by it. It says one line on standard output: {@code ready HOST:PORT}, or {@code failed} and
 * why.
 */
final class BrokerMain {
  /** First word of the line that says that clients may come. */
  static final String READY = "ready ";

  /** First word of the line that says why they may not. */
  static final String FAILED = "failed ";

  /** How long to wait for an older broker of the same folder that is still stopping. */
  static final Duration LOCK_WAIT_MAX = ParentWatch.STOP_MAX.plusSeconds(2);

  private static final int FAILURE = 1;

  private BrokerMain() {}

  /** Runs until the parent closes standard input. */
  public static void main(String[] args) {
    ParentWatch.ignoreGroupSignals();
    PrintStream parent = System.out;
    System.setOut(System.err); // whoever prints must not speak on the parent's line
    ParentWatch.begin(System.in, ParentWatch.STOP_MAX);
    Logger log = LoggerFactory.getLogger(BrokerMain.class);
    try {
      run(Path.of(args[0]), Integer.parseInt(args[1]), parent);
    } catch (Exception e) {
      log.error("the broker failed", e);
      parent.println(FAILED + inOneLine(e));
      System.exit(FAILURE);
    }
  }

  private static void run(Path root, int port, PrintStream parent) throws Exception {
    BrokerFolder folder = BrokerFolder.open(root);
    try (FolderLock lock = FolderLock.take(folder.lock(), LOCK_WAIT_MAX)) {
      int brokerPort = port == 0 ? FreePorts.choose(0) : port;
      if (!FreePorts.free(brokerPort)) {
        throw new IOException("port %d is in use".formatted(brokerPort));
      }
      int controllerPort = FreePorts.choose(brokerPort);
      Path properties = BrokerProperties.write(folder, brokerPort, controllerPort);
      format(folder);
      KafkaRaftServer server = server(Utils.loadProps(properties.toString()));
      Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown, "broker-shutdown"));
      server.startup();
      parent.println(READY + BrokerProperties.HOST + ":" + brokerPort);
      server.awaitShutdown();
    }
  }

  private static KafkaRaftServer server(Properties properties) {
    return new KafkaRaftServer(KafkaConfig.fromProps(properties, false), Time.SYSTEM);
  }

  /**
   * Formats the folder on first use. A format cut short leaves no meta.properties and is done
   * again.
   */
  private static void format(BrokerFolder folder) throws Exception {
    if (Files.exists(folder.metaProperties())) {
      return;
    }
    Files.createDirectories(folder.logs());
    new Formatter()
        .setPrintStream(
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
        .setClusterId(Uuid.randomUuid().toString())
        .setNodeId(BrokerProperties.NODE_ID)
        .setControllerListenerName(BrokerProperties.CONTROLLER_LISTENER)
        .setMetadataLogDirectory(folder.logs().toString())
        .addDirectory(folder.logs().toString())
        .run();
  }

  /** What happened and what was behind it, each said once. */
  private static String inOneLine(Throwable e) {
    StringBuilder text = new StringBuilder(said(e));
    for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
      if (text.indexOf(said(cause)) < 0) {
        text.append(": ").append(said(cause));
      }
    }
    return text.toString().replaceAll("\\s+", " ");
  }

  /** Of file faults the message is but the file's name. */
  private static String said(Throwable e) {
    return e.getMessage() == null || e instanceof FileSystemException
        ? e.getClass().getSimpleName() + " " + e.getMessage()
        : e.getMessage();
  }
}
