package dev.tocsin.standalone;

import dev.tocsin.broker.ParentWatch;
import dev.tocsin.runtime.Settings;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tocsin up}: all of it in one process, until it is told to end. */
@Command(
    name = "tocsin up",
    sortOptions = false,
    description =
        "Runs all of Tocsin in this process, and a Kafka broker of its own as a child, until"
            + " SIGTERM or Ctrl-C.",
    footer = {
      "",
      "An option is above the environment (TOCSIN_DATA, TOCSIN_EDGE_PORT, ...), and that is above"
          + " the file of --config.",
      "Exit status: 0 ended as asked, 1 failed, 2 wrong usage, 78 wrong configuration."
    })
public final class StandaloneMain implements Callable<Integer> {
  private static final int FAILED = 1;

  /** Without a broker there is nothing to drain into. */
  private static final Duration STOP_WITHOUT_BROKER_MAX = Duration.ofSeconds(5);

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where everything is kept. Default: $TOCSIN_DATA, else ~/.tocsin.")
  private String data;

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "gRPC; 0 for any free port. Default: 9000.")
  private Integer port;

  @Option(
      names = "--metrics-port",
      paramLabel = "N",
      description = "Metrics and health; 0 for any free port. Default: 9090.")
  private Integer metricsPort;

  @Option(
      names = "--kafka-port",
      paramLabel = "N",
      description = "The broker; 0 for any free port. Default: 9092.")
  private Integer kafkaPort;

  @Option(names = "--config", paramLabel = "FILE", description = "A properties file of settings.")
  private Path config;

  @Option(
      names = "--ready-file",
      paramLabel = "FILE",
      description =
          "Write where everything is to FILE, as JSON, once it serves; it is removed at the end.")
  private Path readyFile;

  @Option(
      names = "--with-parent",
      description =
          "End when standard input does, as by SIGTERM: for a program that starts this one and must"
              + " not leave it behind, however it ends itself.")
  private boolean withParent;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Print this, and end.")
  @SuppressWarnings("unused") // picocli reads it
  private boolean help;

  private volatile int status;
  private volatile boolean ending;
  private volatile Duration stopMax;

  private StandaloneMain() {}

  /** Runs until it is told to end, or fails. */
  public static void main(String[] args) {
    StandaloneMain main = new StandaloneMain();
    main.status =
        new CommandLine(main)
            .setParameterExceptionHandler(StandaloneMain::wrongUsage)
            .setExecutionExceptionHandler(StandaloneMain::unexpected)
            .execute(args);
    System.exit(main.status);
  }

  @Override
  public Integer call() throws InterruptedException {
    try {
      Settings settings =
          Settings.load(Optional.ofNullable(config), System.getenv()).with(options());
      Path folder = StandaloneConfig.data(settings);
      DataFolder.take(folder).close(); // before anything is logged into it
      logTo(DataFolder.logFile(folder));
      return run(StandaloneConfig.read(settings));
    } catch (Settings.SettingsException e) {
      e.getMessage().lines().forEach(StandaloneMain::tell);
      return Settings.EXIT_CONFIG;
    } catch (StartException e) {
      complain(e.getMessage());
      return FAILED;
    }
  }

  private static void logTo(Path file) {
    System.setProperty(
        "log4j2.configurationFile", "classpath:dev/tocsin/standalone/standalone-log4j2.xml");
    System.setProperty("tocsin.log", file.toString());
  }

  private int run(StandaloneConfig read) throws InterruptedException, StartException {
    try (ReadyFile ready = new ReadyFile(Optional.ofNullable(readyFile))) {
      StandaloneApp app = new StandaloneApp(read);
      stopMax = read.stopMax();
      endWith(app, ready);
      if (withParent) {
        ParentWatch.begin(System.in, stopMax);
      }
      app.start(this::complain);
      announce(read, app, ready);
      complain(app.awaitFailure());
      stopMax = STOP_WITHOUT_BROKER_MAX;
    } catch (IOException e) {
      complain("the ready file cannot be written: " + e);
    }
    return FAILED;
  }

  private Map<String, String> options() {
    Map<String, String> given = new TreeMap<>();
    put(given, StandaloneConfig.DATA, data);
    put(given, StandaloneConfig.PORT, port);
    put(given, StandaloneConfig.OPS_PORT, metricsPort);
    put(given, StandaloneConfig.KAFKA_PORT, kafkaPort);
    return given;
  }

  private static void put(Map<String, String> to, String name, Object value) {
    if (value != null) {
      to.put(name, value.toString());
    }
  }

  private static void announce(StandaloneConfig read, StandaloneApp app, ReadyFile ready)
      throws IOException {
    String grpc = read.grpc().host() + ":" + app.port();
    String metrics = "http://" + read.opsHost() + ":" + app.opsPort();

    ready.write(grpc, metrics, app.bootstrap(), ProcessHandle.current().pid());
    Instant began = Instant.ofEpochMilli(ManagementFactory.getRuntimeMXBean().getStartTime());
    Duration took = Duration.between(began, Instant.now());
    System.out.print(Banner.of(read, grpc, metrics, app.bootstrap(), app.brokerPid(), took));
    System.out.flush();
  }

  /**
   * Whatever ends the process, this closes it first, and gives the exit status: the JVM's own would
   * be 143 after a SIGTERM that was obeyed.
   */
  private void endWith(StandaloneApp app, ReadyFile ready) {
    Thread end =
        new Thread(
            () -> {
              int asked = status; // what the main thread meets from now on is no failure
              ending = true;
              haltAfter(stopMax);
              ready.close();
              app.close();
              Runtime.getRuntime().halt(asked);
            },
            "standalone-end");
    Runtime.getRuntime().addShutdownHook(end);
  }

  private static void haltAfter(Duration max) {
    Thread halt =
        new Thread(
            () -> {
              try {
                new CountDownLatch(1).await(max.toMillis(), TimeUnit.MILLISECONDS);
              } catch (InterruptedException e) {
                // nobody interrupts it; if someone does, it is time
              }
              tell("it did not stop within %d s and is cut off".formatted(max.toSeconds()));
              ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
              Runtime.getRuntime().halt(FAILED);
            },
            "standalone-halt");
    halt.setDaemon(true);
    halt.start();
  }

  private static int wrongUsage(CommandLine.ParameterException e, String[] args) {
    tell(e.getMessage() + " (see --help)");
    return CommandLine.ExitCode.USAGE;
  }

  private static int unexpected(Exception e, CommandLine line, CommandLine.ParseResult parsed) {
    LoggerFactory.getLogger(StandaloneMain.class).error("unexpected", e);
    return FAILED;
  }

  private void complain(String line) {
    if (!ending) {
      tell(line);
    }
  }

  private static void tell(String line) {
    System.err.println("tocsin: " + line);
  }
}
