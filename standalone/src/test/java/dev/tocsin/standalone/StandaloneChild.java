package dev.tocsin.standalone;

import dev.tocsin.broker.ChildJvm;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/** The real program as a child process of a test. */
final class StandaloneChild implements AutoCloseable {
  private static final Duration READY_MAX = Duration.ofMinutes(2);
  private static final Duration END_MAX = Duration.ofSeconds(90);

  private final Process process;
  private final Path folder;
  private ManagedChannel channel;

  private StandaloneChild(Process process, Path folder) {
    this.process = process;
    this.folder = folder;
  }

  /** Starts one that is expected to serve, on free ports. */
  static StandaloneChild up(Path data, Path scratch, String... more) throws IOException {
    Path readyFile = scratch.resolve("ready.json");
    Files.deleteIfExists(readyFile); // of one that was killed
    List<String> args = new ArrayList<>();
    args.addAll(List.of("--data", data.toString(), "--ready-file", readyFile.toString()));
    args.addAll(List.of("--port=0", "--metrics-port=0", "--kafka-port=0"));
    args.addAll(List.of(more));
    StandaloneChild child = launch(scratch, args.toArray(String[]::new));
    Awaitility.await()
        .atMost(READY_MAX)
        .until(() -> Files.exists(child.readyFile()) || !child.process.isAlive());
    if (!Files.exists(child.readyFile())) {
      throw new AssertionError("it did not come up: " + child.err());
    }
    child.channel = NettyChannelBuilder.forTarget(child.ready("grpc")).usePlaintext().build();
    return child;
  }

  /** Starts one with these arguments; its output goes to files in {@code scratch}. */
  static StandaloneChild launch(Path scratch, String... args) throws IOException {
    ProcessBuilder child =
        new ProcessBuilder(
                ChildJvm.command(StandaloneMain.class.getName(), List.of(), List.of(args)))
            .redirectOutput(scratch.resolve("out").toFile())
            .redirectError(scratch.resolve("err").toFile());
    child.environment().remove("JAVA_TOOL_OPTIONS"); // Java would say on its output that it took it
    return new StandaloneChild(child.start(), scratch);
  }

  long pid() {
    return process.pid();
  }

  Path readyFile() {
    return folder.resolve("ready.json");
  }

  /** One text of the ready file. */
  String ready(String name) {
    Matcher found = Pattern.compile("\"" + name + "\":\"?([^\",}]+)").matcher(read("ready.json"));
    if (!found.find()) {
      throw new AssertionError(name + " is not in the ready file");
    }
    return found.group(1);
  }

  String out() {
    return read("out");
  }

  String err() {
    return read("err");
  }

  /** The process of its broker. */
  ProcessHandle broker() {
    return process.children().findFirst().orElseThrow();
  }

  ManagedChannel channel() {
    return channel;
  }

  AlertIngestionGrpc.AlertIngestionBlockingStub alerts() {
    return AlertIngestionGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  IncidentServiceGrpc.IncidentServiceBlockingStub incidents() {
    return IncidentServiceGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  /** SIGTERM. */
  void terminate() {
    process.destroy();
  }

  /** What its parent's end does. */
  void closeInput() throws IOException {
    process.getOutputStream().close();
  }

  /** SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  int exitStatus() throws InterruptedException {
    if (!process.waitFor(END_MAX.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError("it did not end: " + err());
    }
    return process.exitValue();
  }

  @Override
  public void close() throws InterruptedException {
    if (channel != null) {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    kill();
  }

  private String read(String name) {
    try {
      return Files.readString(folder.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
