package dev.tocsin.chaos;

import dev.tocsin.broker.ChildJvm;
import dev.tocsin.broker.FreePorts;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * One part of Tocsin as a process of its own, on one port however often it is started. Thread-safe
 * so far as that it can be closed while it is used: then nothing starts any more.
 */
final class Member implements AutoCloseable {
  private static final List<String> FLAGS =
      List.of(
          "-Xmx256m",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-Xshare:auto",
          "-XX:+ExitOnOutOfMemoryError");

  /** Above what a part gives itself to end. */
  private static final Duration END_MAX = Duration.ofSeconds(60);

  /** How a JVM ends that SIGTERM ends. */
  private static final int TERMINATED = 128 + 15;

  private static final Duration HEALTH_MAX = Duration.ofSeconds(2);
  private static final Duration KEEPALIVE = Duration.ofSeconds(10);

  private final String name;
  private final WatchedMain.Part part;
  private final Path folder;
  private final int port;
  private final ManagedChannel channel;
  private volatile Process process;
  private boolean closed;

  /** One that is yet to be configured and started, with its files in {@code folder}. */
  Member(Path folder, String name, WatchedMain.Part part) throws IOException {
    this.name = name;
    this.part = part;
    this.folder = folder;
    this.port = FreePorts.choose(0);
    this.channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port)
            .usePlaintext()
            .keepAliveTime(KEEPALIVE.toSeconds(), TimeUnit.SECONDS)
            .build();
  }

  String name() {
    return name;
  }

  int port() {
    return port;
  }

  ManagedChannel channel() {
    return channel;
  }

  void configure(List<String> settings) throws IOException {
    Files.write(folder.resolve(name + ".properties"), settings);
  }

  synchronized void start() throws IOException {
    if (closed) {
      throw new IOException("the run is ending");
    }
    ProcessBuilder child =
        new ProcessBuilder(
                ChildJvm.command(
                    WatchedMain.class.getName(),
                    FLAGS,
                    List.of(part.name(), folder.resolve(name + ".properties").toString())))
            .redirectErrorStream(true)
            .redirectOutput(
                ProcessBuilder.Redirect.appendTo(folder.resolve(name + ".log").toFile()));
    child.environment().keySet().removeIf(variable -> variable.startsWith("TOCSIN_"));
    child.environment().remove("JAVA_TOOL_OPTIONS");
    process = child.start();
  }

  /** SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
    process = null;
  }

  /** SIGTERM, and its end: by itself, since its standard input stays open. */
  void terminate() throws IOException, InterruptedException, NotHealedException {
    signal("TERM", process.pid());
    if (!process.waitFor(END_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new NotHealedException(
          "%s has not ended %d s after SIGTERM".formatted(name, END_MAX.toSeconds()));
    }
    if (process.exitValue() != TERMINATED) {
      throw new NotHealedException(
          "%s ended with %d after SIGTERM".formatted(name, process.exitValue()));
    }
    process = null;
  }

  /** SIGSTOP: it is there and does nothing. */
  void stop() throws IOException, InterruptedException {
    signal("STOP", process.pid());
  }

  /** SIGCONT. */
  void goOn() throws IOException, InterruptedException {
    signal("CONT", process.pid());
  }

  static void signal(String signal, long pid) throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("sh", "-c", "kill -" + signal + " " + pid).start();
    if (kill.waitFor() != 0) {
      throw new IOException("kill -" + signal + " " + pid + " failed");
    }
  }

  /** What keeps it from serving; empty if it serves, or is not meant to run now. */
  Optional<String> trouble() {
    Process now = process;
    if (now == null) {
      return Optional.empty();
    }
    if (!now.isAlive()) {
      return Optional.of("%s ended by itself with %d".formatted(name, now.exitValue()));
    }
    channel.resetConnectBackoff();
    try {
      ServingStatus status =
          HealthGrpc.newBlockingStub(channel)
              .withDeadlineAfter(HEALTH_MAX)
              .check(HealthCheckRequest.getDefaultInstance())
              .getStatus();
      return status == ServingStatus.SERVING
          ? Optional.empty()
          : Optional.of(name + " is " + status);
    } catch (StatusRuntimeException e) {
      return Optional.of(name + " does not tell its health: " + Answers.text(e.getStatus()));
    }
  }

  /** SIGKILL, which also ends one that is stopped. */
  @Override
  public synchronized void close() {
    closed = true;
    channel.shutdownNow();
    Process now = process;
    if (now != null) {
      now.destroyForcibly();
      try {
        now.waitFor(END_MAX.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
