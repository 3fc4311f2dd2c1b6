package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.state.IncidentStateGrpc;
import dev.tocsin.proto.state.IncidentStateGrpc.IncidentStateBlockingStub;
import dev.tocsin.proto.state.ReadDigestRequest;
import dev.tocsin.proto.state.ReadDigestResponse;
import dev.tocsin.schemas.Topics;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/** A processor as a process of its own, which can be killed, and a client of its state server. */
final class ProcessorChild implements AutoCloseable {
  private static final Pattern PORT = Pattern.compile("state server on port (\\d+)");

  private final Topics topics;
  private final int partitions;
  private final Path folder;
  private Process process;
  private ManagedChannel channel;
  private IncidentStateBlockingStub state;
  private int starts;

  /** One that does not run yet, with its state in a folder. */
  ProcessorChild(Topics topics, int partitions, Path folder) {
    this.topics = topics;
    this.partitions = partitions;
    this.folder = folder;
  }

  /** Starts it, and waits until it answers for every partition. */
  void start() throws IOException {
    Files.createDirectories(folder);
    Path file = folder.resolve("processor.properties");
    Files.writeString(
        file,
        """
        kafka.bootstrap.servers = %s
        log.prefix = %s
        log.partitions = %d
        log.replicas = 1
        processor.generation = %s
        processor.instance-id = one
        processor.state-folder = %s
        processor.port = 0
        processor.ops-port = 0
        """
            .formatted(
                SharedBroker.bootstrap(),
                topics.prefix(),
                partitions,
                topics.generation(),
                folder.resolve("s")));
    Path out = folder.resolve("out-" + starts++);
    process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                ProcessorMain.class.getName(),
                file.toString())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> port(out) > 0);
    channel = NettyChannelBuilder.forAddress("127.0.0.1", port(out)).usePlaintext().build();
    state = IncidentStateGrpc.newBlockingStub(channel);
    Awaitility.await()
        .atMost(Duration.ofSeconds(90))
        .pollInterval(Duration.ofMillis(20))
        .until(this::answers);
  }

  ReadDigestResponse digest(int partition) {
    return state
        .withDeadlineAfter(Duration.ofSeconds(10))
        .readDigest(ReadDigestRequest.newBuilder().setPartition(partition).build());
  }

  /** As {@code kill -9} does. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
    channel.shutdownNow();
  }

  /** As {@code kill} does, and waits for its end. */
  void stop() throws InterruptedException {
    process.destroy();
    assertThat(process.waitFor(40, TimeUnit.SECONDS)).isTrue();
    channel.shutdownNow();
  }

  @Override
  public void close() throws InterruptedException {
    if (process != null) {
      process.destroyForcibly().waitFor();
    }
    if (channel != null) {
      channel.shutdownNow();
    }
  }

  private int port(Path out) {
    try {
      String text = Files.readString(out, StandardCharsets.UTF_8);
      assertThat(process.isAlive()).as(text).isTrue();
      Matcher port = PORT.matcher(text);
      return port.find() ? Integer.parseInt(port.group(1)) : 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean answers() {
    try {
      for (int partition = 0; partition < partitions; partition++) {
        var unused = digest(partition);
      }
      return true;
    } catch (StatusRuntimeException notYet) {
      return false;
    }
  }
}
