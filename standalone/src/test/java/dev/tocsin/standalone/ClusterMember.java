package dev.tocsin.standalone;

import dev.tocsin.broker.ChildJvm;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** One part of Tocsin as a process of its own, which a test kills, ends and starts again. */
final class ClusterMember implements AutoCloseable {
  private static final Duration SERVING_MAX = Duration.ofSeconds(90);

  final String name;
  final int port;
  private final Class<?> main;
  private final Path settings;
  private final Path output;
  private final Optional<SslContext> tls;
  private Process process;
  private ManagedChannel channel;

  /** One that is yet to be started; it listens on {@code port}. */
  ClusterMember(Path folder, String name, Class<?> main, int port, List<String> lines)
      throws IOException {
    this(folder, name, main, port, lines, Optional.empty());
  }

  /** The same, which is to be called with {@code tls}. */
  ClusterMember(
      Path folder,
      String name,
      Class<?> main,
      int port,
      List<String> lines,
      Optional<SslContext> tls)
      throws IOException {
    this.tls = tls;
    this.name = name;
    this.main = main;
    this.port = port;
    this.settings = Files.write(folder.resolve(name + ".properties"), lines);
    this.output = folder.resolve(name + ".out");
  }

  void start() throws IOException {
    ProcessBuilder child =
        new ProcessBuilder(
                ChildJvm.command(
                    main.getName(),
                    List.of("-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                    List.of(settings.toString())))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()));
    child.environment().remove("JAVA_TOOL_OPTIONS");
    process = child.start();
    if (channel == null) {
      NettyChannelBuilder builder = NettyChannelBuilder.forAddress("127.0.0.1", port);
      channel = tls.map(builder::sslContext).orElseGet(builder::usePlaintext).build();
    }
  }

  ManagedChannel channel() {
    return channel;
  }

  void awaitServing() {
    try {
      Awaitility.await(name)
          .atMost(SERVING_MAX)
          .pollInterval(Duration.ofMillis(50))
          .until(() -> !process.isAlive() || serves());
    } catch (ConditionTimeoutException e) {
      throw new AssertionError(name + " does not serve: " + output(), e);
    }
    if (!process.isAlive()) {
      throw new AssertionError(name + " ended: " + output());
    }
  }

  private boolean serves() {
    channel.resetConnectBackoff();
    try {
      return HealthGrpc.newBlockingStub(channel)
              .withDeadlineAfter(Duration.ofSeconds(2))
              .check(HealthCheckRequest.getDefaultInstance())
              .getStatus()
          == ServingStatus.SERVING;
    } catch (io.grpc.StatusRuntimeException notYet) {
      return false;
    }
  }

  /** SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** SIGTERM. Whether it said NOT_SERVING before its connection ended. */
  boolean terminate() throws InterruptedException {
    CompletableFuture<Boolean> saidSo = new CompletableFuture<>();
    CompletableFuture<Void> watching = new CompletableFuture<>();
    HealthGrpc.newStub(channel)
        .watch(
            HealthCheckRequest.getDefaultInstance(),
            new StreamObserver<>() {
              @Override
              public void onNext(HealthCheckResponse health) {
                watching.complete(null);
                if (health.getStatus() == ServingStatus.NOT_SERVING) {
                  saidSo.complete(true);
                }
              }

              @Override
              public void onError(Throwable t) {
                saidSo.complete(false);
              }

              @Override
              public void onCompleted() {
                saidSo.complete(false);
              }
            });
    watching.join();
    process.destroy();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      throw new AssertionError(name + " does not end: " + output());
    }
    return saidSo.join();
  }

  String output() {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws InterruptedException {
    if (channel != null) {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    if (process != null) {
      kill();
    }
  }
}
