package dev.tocsin.broker;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Kafka broker of one's own, on this machine only, as a child process: a broker that meets a
 * fatal fault halts its JVM, which must not be this one. The child ends with this process, however
 * this process ends, and its data stays in its folder.
 *
 * <p>Thread-safe.
 */
public final class BrokerProcess implements AutoCloseable {
  /** How long a start may take. A child may spend half of it waiting for an older one's end. */
  static final Duration START_MAX = Duration.ofSeconds(60);

  /** How long {@link #close} waits; longer than the child gives itself. */
  static final Duration STOP_MAX = ParentWatch.STOP_MAX.plusSeconds(5);

  private static final Logger LOG = LoggerFactory.getLogger(BrokerProcess.class);

  private final Process process;
  private final Path logFile;
  private final LastLines errors = new LastLines();
  private final CompletableFuture<Void> errorsEnded = new CompletableFuture<>();
  private final CompletableFuture<String> said = new CompletableFuture<>();
  private String bootstrap;

  /** The broker did not come up. The message says why, for an operator to read. */
  public static final class StartException extends RuntimeException {
    StartException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private BrokerProcess(Process process, Path logFile) {
    this.process = process;
    this.logFile = logFile;
    read("broker-stdout", process.getInputStream(), this::hear);
    read("broker-stderr", process.getErrorStream(), this::hearError);
  }

  /**
   * Starts a broker and waits until it answers, for at most a minute.
   *
   * @param dataDir its folder, made and formatted if need be; no other broker may be using it, but
   *     one that is just stopping is waited for (30 s at most)
   * @param port where clients will find it on 127.0.0.1; 0 for any free one
   * @param logFile where it logs; {@code broker.log} in its folder if empty
   * @throws StartException if it does not come up; nothing is left running then
   */
  public static BrokerProcess start(Path dataDir, int port, Optional<Path> logFile) {
    BrokerProcess broker = launch(dataDir, port, logFile);
    try {
      broker.bootstrap = broker.awaitReady();
      broker.awaitAnswer();
      return broker;
    } catch (RuntimeException e) {
      broker.kill();
      throw e;
    }
  }

  /** Where clients find it: {@code 127.0.0.1:PORT}. */
  public String bootstrap() {
    return bootstrap;
  }

  /** The child's process id. */
  public long pid() {
    return process.pid();
  }

  /** Whether the child runs. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /**
   * Tells {@code watcher} when the child has ended, also if it was asked to and if it already has:
   * its exit status and the last that it said. Called on a thread of the JVM's common pool.
   */
  public void onExit(Consumer<String> watcher) {
    var unused =
        process
            .onExit()
            .thenCombine(errorsEnded, (ended, nothing) -> epitaph())
            .thenAccept(watcher);
  }

  /** Ends the child at once, as a crash would. For tests. */
  public void kill() {
    process.destroyForcibly();
    awaitExit(STOP_MAX);
  }

  /** Stops the broker cleanly; by force if that takes more than 25 s. */
  @Override
  public void close() {
    close(STOP_MAX);
  }

  void close(Duration max) {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      LOG.debug("the broker's standard input was closed already", e);
    }
    if (!awaitExit(max)) {
      LOG.warn("the broker did not stop within {} s: ending it by force", max.toSeconds());
      kill();
    }
  }

  private static BrokerProcess launch(Path dataDir, int port, Optional<Path> logFile) {
    try {
      BrokerFolder folder = BrokerFolder.open(dataDir);
      Path log = logFile.orElseGet(folder::logFile).toAbsolutePath();
      Process process = new ProcessBuilder(BrokerCommand.of(folder, port, log)).start();
      return new BrokerProcess(process, log);
    } catch (IOException e) {
      throw new StartException("the broker cannot be started in " + dataDir + ": " + e, e);
    }
  }

  private String awaitReady() {
    try {
      String line = said.get(START_MAX.toMillis(), TimeUnit.MILLISECONDS);
      if (line.startsWith(BrokerMain.READY)) {
        return line.substring(BrokerMain.READY.length());
      }
      throw new StartException(
          "the broker did not start: %s; see %s"
              .formatted(line.substring(BrokerMain.FAILED.length()), logFile),
          null);
    } catch (ExecutionException e) {
      awaitExit(STOP_MAX);
      errorsEnded.orTimeout(STOP_MAX.toSeconds(), TimeUnit.SECONDS).join();
      throw new StartException("the broker did not start: " + epitaph(), e);
    } catch (TimeoutException e) {
      throw new StartException(
          "the broker was not ready within %d s; see %s".formatted(START_MAX.toSeconds(), logFile),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartException("interrupted while the broker started", e);
    }
  }

  /** It says that it is ready; believe it when it has answered. */
  private void awaitAnswer() {
    Map<String, Object> config =
        Map.of(
            AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap,
            AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
            (int) START_MAX.toMillis(),
            AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG,
            (int) START_MAX.toMillis() / 2);
    try (Admin admin = Admin.create(config)) {
      admin.describeCluster().nodes().get(START_MAX.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new StartException("the broker at " + bootstrap + " does not answer: " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartException("interrupted while the broker started", e);
    }
  }

  private String epitaph() {
    String lines = errors.toString();
    return "its process ended with status %d; see %s%s"
        .formatted(process.exitValue(), logFile, lines.isEmpty() ? "" : "\n" + lines);
  }

  private void hear(String line) {
    if (line == null) {
      said.completeExceptionally(new IOException("it ended without a word"));
    } else if (line.startsWith(BrokerMain.READY) || line.startsWith(BrokerMain.FAILED)) {
      said.complete(line);
    }
  }

  private void hearError(String line) {
    if (line == null) {
      errorsEnded.complete(null);
      return;
    }
    errors.add(line);
    LOG.info("broker: {}", line);
  }

  private boolean awaitExit(Duration max) {
    try {
      return process.waitFor(max.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Gives each line to {@code to}, and null at the end. A pipe that nobody reads would stall. */
  private static void read(String name, InputStream from, Consumer<String> to) {
    Thread thread = new Thread(() -> read(from, to), name);
    thread.setDaemon(true);
    thread.start();
  }

  private static void read(InputStream from, Consumer<String> to) {
    try (var lines = new BufferedReader(new InputStreamReader(from, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        to.accept(line);
      }
    } catch (IOException e) {
      LOG.debug("reading the broker's output ended", e);
    }
    to.accept(null);
  }
}
