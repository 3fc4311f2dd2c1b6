package dev.tocsin.benchmarks;

import dev.tocsin.proto.admin.PartitionProgress;
import dev.tocsin.proto.state.IncidentStateGrpc;
import dev.tocsin.proto.state.IncidentStateGrpc.IncidentStateBlockingStub;
import dev.tocsin.proto.state.ReadProgressRequest;
import dev.tocsin.schemas.Topics;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** A processor as a process of its own, and how much it has applied. */
final class ProcessorProcess implements AutoCloseable {
  static final String MAIN = "dev.tocsin.processor.ProcessorMain";
  static final int THREADS = 2;
  static final int COMMIT_MS = 150;

  /** As the documentation recommends where memory is short. */
  private static final List<String> SMALL = List.of("-Xmx512m", "-XX:+UseSerialGC");

  private static final Pattern STARTED = Pattern.compile("state server on port (\\d+)");
  private static final Duration ASK_MAX = Duration.ofSeconds(5);
  private static final Duration READY_MAX = Duration.ofMinutes(10);
  private static final Duration POLL = Duration.ofMillis(50);

  private final ServerProcess process;
  private final ManagedChannel channel;
  private final IncidentStateBlockingStub state;

  private ProcessorProcess(ServerProcess process) {
    this.process = process;
    this.channel =
        NettyChannelBuilder.forAddress(
                "127.0.0.1", process.port(1), InsecureChannelCredentials.create())
            .build();
    this.state = IncidentStateGrpc.newBlockingStub(channel);
  }

  /** Starts one on a log of the stand, and waits until it owns all of it. */
  static ProcessorProcess start(EdgeStand stand, Topics topics, int port)
      throws IOException, InterruptedException {
    ProcessorProcess started =
        new ProcessorProcess(
            ServerProcess.start(stand, "processor", MAIN, settings(topics, stand, port), STARTED));
    return awaitOwner(started);
  }

  /** The same where memory is short. */
  static ProcessorProcess startSmall(EdgeStand stand, Topics topics)
      throws IOException, InterruptedException {
    return awaitOwner(
        new ProcessorProcess(
            ServerProcess.start(
                stand, "processor", SMALL, MAIN, settings(topics, stand, 0), STARTED)));
  }

  /**
   * The same with a state folder and a name of its own, under which it can take up what one before
   * it has left.
   */
  static ProcessorProcess start(EdgeStand stand, Topics topics, Path stateFolder)
      throws IOException, InterruptedException {
    List<String> settings = new ArrayList<>(settings(topics, 0, stateFolder));
    settings.add("processor.instance-id=one");
    return awaitOwner(
        new ProcessorProcess(ServerProcess.start(stand, "processor", MAIN, settings, STARTED)));
  }

  private static ProcessorProcess awaitOwner(ProcessorProcess started)
      throws IOException, InterruptedException {
    try {
      started.awaitOwner();
      return started;
    } catch (IOException | InterruptedException e) {
      started.close();
      throw e;
    }
  }

  /** What a processor of a bench is told, whichever it is. */
  static List<String> settings(Topics topics, EdgeStand stand, int port) throws IOException {
    return settings(topics, port, stand.newFolder("state"));
  }

  private static List<String> settings(Topics topics, int port, Path stateFolder) {
    return List.of(
        "log.prefix=" + topics.prefix(),
        "log.partitions=" + EdgeStand.PARTITIONS,
        "processor.generation=" + topics.generation(),
        "processor.state-folder=" + stateFolder,
        "processor.threads=" + THREADS,
        "processor.commit-interval=" + COMMIT_MS + "ms",
        "processor.port=" + port,
        "processor.address=127.0.0.1:" + port,
        "processor.ops-port=0");
  }

  /** Alerts that it has applied, of all partitions, whatever came of them. */
  long appliedAlerts() {
    return progress().stream().mapToLong(PartitionProgress::getAlerts).sum();
  }

  /** Waits until it has applied so many. */
  void awaitApplied(long alerts) throws IOException, InterruptedException {
    long untilNs = System.nanoTime() + READY_MAX.toNanos();
    while (appliedAlerts() < alerts) {
      if (System.nanoTime() - untilNs > 0) {
        throw new IOException("the processor has not applied what is on its log");
      }
      TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
    }
  }

  /** The most that it ever had resident, as Linux counts it. */
  double residentPeakMib() throws IOException {
    return ProcessMemory.residentPeakMib(process.process().pid());
  }

  /** Ends it at once, as {@code kill -9} does. */
  void kill() throws InterruptedException {
    channel.shutdownNow();
    process.process().destroyForcibly().waitFor();
  }

  private List<PartitionProgress> progress() {
    return state
        .withDeadlineAfter(ASK_MAX)
        .readProgress(ReadProgressRequest.getDefaultInstance())
        .getPartitionsList();
  }

  private void awaitOwner() throws IOException, InterruptedException {
    long untilNs = System.nanoTime() + READY_MAX.toNanos();
    while (!ownsAll()) {
      if (System.nanoTime() - untilNs > 0) {
        throw new IOException("the processor does not own its log");
      }
      TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
    }
  }

  private boolean ownsAll() {
    try {
      List<PartitionProgress> owned = progress();
      return owned.size() == EdgeStand.PARTITIONS
          && owned.stream().allMatch(PartitionProgress::getCaughtUp);
    } catch (StatusRuntimeException notYet) {
      return false;
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    process.close();
  }
}
