package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.Fold;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.proto.state.IncidentStateGrpc;
import dev.tocsin.proto.state.IncidentStateGrpc.IncidentStateBlockingStub;
import dev.tocsin.proto.state.ReadDigestRequest;
import dev.tocsin.proto.state.ReadDigestResponse;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.LogEntry;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A processor as a process of its own, killed under load. */
class ProcessorKillIT {
  private static final Pattern PORT = Pattern.compile("state server on port (\\d+)");
  private static final int KILLS = Integer.getInteger("processor.kills", 2);

  @TempDir Path folder;

  private final Topics topics = RunningProcessor.topics();
  private Process process;
  private ManagedChannel channel;
  private IncidentStateBlockingStub state;
  private int starts;

  @AfterEach
  void stop() throws Exception {
    if (process != null) {
      process.destroyForcibly().waitFor();
      channel.shutdownNow();
    }
  }

  @Test
  void kill_underLoadChangesNothing() throws Exception {
    LogTopics.create(RunningProcessor.KAFKA, topics, TestLog.PARTITIONS, 1);
    AtomicBoolean end = new AtomicBoolean();
    Thread load = new Thread(() -> load(end));
    load.start();
    List<Long> restartsMs = new ArrayList<>();
    open();
    for (int kill = 0; kill < KILLS; kill++) {
      long before = digest(0).getAppliedOffset();
      Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> digest(0).getAppliedOffset() > before + 100);
      process.destroyForcibly().waitFor();
      channel.shutdownNow();
      restartsMs.add(open());
    }
    end.set(true);
    load.join();
    System.out.printf("restarts after kill -9: serving in %s ms%n", restartsMs);
    for (int partition = 0; partition < TestLog.PARTITIONS; partition++) {
      compare(partition);
    }
    process.destroy();
    assertThat(process.waitFor(40, TimeUnit.SECONDS)).isTrue();
    assertThat(openTransactions()).isEmpty();
  }

  private void compare(int partition) throws Exception {
    var entries = LogReader.read(topics.log(), partition);
    long applied = entries.get(entries.size() - 1).offset() + 1;
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> digest(partition).getAppliedOffset() >= applied);
    ReadDigestResponse told = digest(partition);
    // A tick may have come since.
    MemoryStore model = new MemoryStore();
    List<IncidentEvent> events = new ArrayList<>();
    Fold fold = new Fold(model, events::add);
    for (ConsumerRecord<byte[], byte[]> entry : LogReader.read(topics.log(), partition)) {
      if (entry.offset() < told.getAppliedOffset()) {
        fold.apply(
            Codec.of(LogEntry.class).decode(entry.value()), entry.offset(), entry.timestamp());
      }
    }
    assertThat(told.getIncidents()).isEqualTo(model.digest().incidents()).isPositive();
    assertThat(told.getContent()).isEqualTo(model.digest().content());
    assertThat(told.getExact()).isEqualTo(model.digest().exact());
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> LogReader.read(topics.events(), partition).size() >= events.size());
    List<IncidentEvent> published =
        LogReader.read(topics.events(), partition).stream()
            .map(event -> Codec.of(IncidentEvent.class).decode(event.value()))
            .limit(events.size())
            .toList();
    assertThat(published).as("each event once, in order").isEqualTo(events);
  }

  private List<String> openTransactions() throws Exception {
    try (Admin admin = Admin.create(Map.copyOf(RunningProcessor.KAFKA))) {
      return admin.listTransactions().all().get().stream()
          .filter(each -> each.state() == TransactionState.ONGOING)
          .map(TransactionListing::transactionalId)
          .filter(id -> id.startsWith(topics.applicationId()))
          .toList();
    }
  }

  private void load(AtomicBoolean end) {
    World world = new World(61);
    try (TestLog log = new TestLog(topics, RunningProcessor.KAFKA)) {
      for (int i = 0; !end.get(); i++) {
        if (!(world.next().entry().getPayload() instanceof Alerts entry)) {
          continue;
        }
        Map<Integer, List<Alert>> routed =
            entry.getAlerts().stream().collect(Collectors.groupingBy(TestLog::partition));
        for (var part : routed.entrySet()) {
          byte[] bytes = TestLog.entry(part.getValue().toArray(Alert[]::new));
          Future<RecordMetadata> sent = log.send(part.getKey(), bytes);
          if (i % 4 == 0) {
            var unused = sent.get();
          }
        }
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Starts one, and gives the time in which it answered for every partition. */
  private long open() throws Exception {
    long startNs = System.nanoTime();
    Path file = folder.resolve("processor.properties");
    Files.writeString(
        file,
        """
        kafka.bootstrap.servers = %s
        log.prefix = %s
        log.partitions = %d
        log.replicas = 1
        processor.instance-id = one
        processor.state-folder = %s
        processor.port = 0
        processor.ops-port = 0
        """
            .formatted(
                SharedBroker.bootstrap(),
                topics.prefix(),
                TestLog.PARTITIONS,
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
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
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
      for (int partition = 0; partition < TestLog.PARTITIONS; partition++) {
        var unused = digest(partition);
      }
      return true;
    } catch (StatusRuntimeException notYet) {
      return false;
    }
  }

  private ReadDigestResponse digest(int partition) {
    return state
        .withDeadlineAfter(Duration.ofSeconds(10))
        .readDigest(ReadDigestRequest.newBuilder().setPartition(partition).build());
  }
}
