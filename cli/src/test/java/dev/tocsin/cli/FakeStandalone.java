package dev.tocsin.cli;

import dev.tocsin.proto.admin.PartitionProgress;
import dev.tocsin.proto.incidents.Incident;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * Stands in for the standalone as a process: same flags, same ready file, gRPC that is real. Its
 * jar's {@code behaviour.txt} says how it behaves, and where it writes who and where it is.
 */
public final class FakeStandalone {
  private FakeStandalone() {}

  /** Runs until it is killed, or as its behaviour says. */
  public static void main(String[] args) throws Exception {
    List<String> told;
    try (var in = FakeStandalone.class.getClassLoader().getResourceAsStream("behaviour.txt")) {
      told =
          new String(in.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8).lines().toList();
    }
    String behaviour = told.get(0);
    Path readyFile = Path.of(after(args, "--ready-file"));
    Files.createDirectories(Path.of(after(args, "--data")));
    Files.write(
        Path.of(told.get(1)),
        List.of(Long.toString(ProcessHandle.current().pid()), readyFile.getParent().toString()));
    System.out.println("starting, " + behaviour);
    switch (behaviour) {
      case "dies" -> {
        System.out.println("no space left on device");
        System.exit(3);
      }
      case "stubborn" -> Runtime.getRuntime().addShutdownHook(new Thread(FakeStandalone::forever));
      default -> {}
    }
    if (!behaviour.equals("never ready")) {
      serve(behaviour, readyFile);
    }
    forever();
  }

  private static void serve(String behaviour, Path readyFile) throws Exception {
    TestServer server = new TestServer();
    server.incidents.add(Incident.newBuilder().setId("id-1").setTitle("Disk latency").build());
    server.progress =
        () -> {
          int alerts = server.received.size() - (behaviour.equals("loses one") ? 1 : 0);
          return PartitionProgress.newBuilder()
              .setPartition(3)
              .setAppliedOffset(server.offset.get() + 1)
              .setAlerts(alerts)
              .setOccurrences(alerts - 2)
              .setRedelivered(1)
              .setResolved(1)
              .setOpened(1)
              .build();
        };
    if (behaviour.equals("silent")) {
      server.stream = (alert, acks) -> {};
    }
    if (behaviour.equals("dies while sending")) {
      server.stream =
          (alert, acks) -> {
            System.out.println("fatal: broker gone");
            Runtime.getRuntime().halt(4);
          };
    }
    Path whole = readyFile.resolveSibling("ready.tmp");
    Files.writeString(whole, "{\"grpc\":\"" + server.target() + "\",\"pid\":1}");
    Files.move(whole, readyFile);
  }

  private static void forever() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String after(String[] args, String flag) {
    return args[Arrays.asList(args).indexOf(flag) + 1];
  }
}
