package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.engine.MemoryStore;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.state.Owners;
import dev.tocsin.proto.state.ReadDigestResponse;
import dev.tocsin.proto.state.ReadOutcomeResponse;
import dev.tocsin.proto.state.WatchOwnersRequest;
import dev.tocsin.schemas.AddNote;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Topics;
import dev.tocsin.schemas.UpdateIncident;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessorIT {
  @TempDir Path folder;

  private final Topics topics = RunningProcessor.topics();
  private TestLog log;
  private RunningProcessor processor;

  @BeforeEach
  void start() throws Exception {
    LogTopics.create(RunningProcessor.KAFKA, topics, TestLog.PARTITIONS, 1);
    log = new TestLog(topics, RunningProcessor.KAFKA);
    open();
  }

  @AfterEach
  void stop() {
    processor.close();
    log.close();
  }

  @Test
  void processor_foldsAlertsIntoAnIncident() throws Exception {
    Alert alert = TestLog.alert("a1", "checkout", "High latency");
    int partition = TestLog.partition(alert);
    log.append(alert);
    log.append(TestLog.alert("a2", "checkout", "High latency"));
    long last = log.append(TestLog.alert("a2", "checkout", "High latency"));
    Incident incident = processor.onlyIncident(partition, last);
    assertThat(incident.getOccurrences()).isEqualTo(2);
    assertThat(incident.getRevision()).isEqualTo(1);
    assertThat(incident.getState()).isEqualTo(IncidentState.INCIDENT_STATE_DETECTED);
    assertThat(processor.progress(partition).getRedelivered()).isEqualTo(1);
  }

  @Test
  void processor_goesOnAfterARestartAlsoWithoutItsFolder() throws Exception {
    Alert alert = TestLog.alert("a1", "checkout", "High latency");
    int partition = TestLog.partition(alert);
    processor.onlyIncident(partition, log.append(alert));
    processor.close();
    long last = log.append(TestLog.alert("a2", "checkout", "High latency", AlertStatus.ENDED));
    open();
    System.out.printf(
        "restart after a clean stop: serving in %d ms%n", processor.startup.toMillis());
    assertThat(processor.onlyIncident(partition, last).getState())
        .isEqualTo(IncidentState.INCIDENT_STATE_RESOLVED);
    ReadDigestResponse before = processor.digest(partition);
    assertThat(before.getIncidents()).isEqualTo(1);
    processor.close();
    delete(folder);
    open();
    System.out.printf(
        "restart without its folder: serving in %d ms%n", processor.startup.toMillis());
    assertThat(processor.digest(partition)).isEqualTo(before);
    long again = log.append(alert);
    processor.onlyIncident(partition, again);
    assertThat(processor.progress(partition).getRedelivered())
        .as("receipts were kept")
        .isEqualTo(1);
  }

  @Test
  void command_hasItsOutcomeAfterARestart_andHasItAgain() throws Exception {
    Alert alert = TestLog.alert("a1", "checkout", "High latency");
    int partition = TestLog.partition(alert);
    Incident opened = processor.onlyIncident(partition, log.append(alert));
    Command resolve =
        Commands.of(
            "default",
            "r1",
            IncidentId.parse(opened.getId()).orElseThrow(),
            alert.getRoute(),
            UpdateIncident.newBuilder()
                .setState(dev.tocsin.schemas.IncidentState.RESOLVED)
                .setResolution("rebooted")
                .build());
    processor.close();
    long at = log.append(partition, Commands.bytes(resolve));
    open();
    ReadOutcomeResponse outcome = processor.outcome(partition, at, resolve);
    assertThat(outcome.getCode()).isEqualTo(ReadOutcomeResponse.Code.DONE);
    assertThat(outcome.getIncident().getState()).isEqualTo(IncidentState.INCIDENT_STATE_RESOLVED);
    assertThat(outcome.getIncident().getTimeline(1).getActor()).isEqualTo("anna");
    long muted = log.append(TestLog.alert("a2", "checkout", "High latency"));
    Incident resolved = processor.onlyIncident(partition, muted);
    assertThat(resolved).isEqualTo(outcome.getIncident());
    assertThat(processor.progress(partition).getMuted()).isEqualTo(1);
    processor.close();
    delete(folder);
    long again = log.append(partition, Commands.bytes(resolve));
    Command other =
        Commands.of("default", "r1", resolve.getIncident(), alert.getRoute(), new AddNote("other"));
    long conflict = log.append(partition, Commands.bytes(other));
    open();
    assertThat(processor.outcome(partition, again, resolve).getCode())
        .isEqualTo(ReadOutcomeResponse.Code.DONE);
    assertThat(processor.outcome(partition, conflict, other).getCode())
        .isEqualTo(ReadOutcomeResponse.Code.CONFLICT);
    assertThat(processor.onlyIncident(partition, conflict)).isEqualTo(resolved);
  }

  @Test
  void processor_withoutANameHandsOverAtOnce() throws Exception {
    Topics other = new Topics(topics.prefix(), "g2");
    LogTopics.create(RunningProcessor.KAFKA, other, TestLog.PARTITIONS, 1);
    Map<String, String> nameless = Map.of("processor.instance-id", "");
    try (RunningProcessor first = new RunningProcessor(other, folder.resolve("a"), nameless)) {
      assertThat(first.health.serving()).isTrue();
    }
    try (RunningProcessor next = new RunningProcessor(other, folder.resolve("b"), nameless)) {
      System.out.printf("handed over: serving in %d ms%n", next.startup.toMillis());
      assertThat(next.startup).isLessThan(Duration.ofSeconds(30));
    }
  }

  @Test
  void quietPartition_isMovedByTicks() throws Exception {
    var rules = World.quick(2);
    rules.setAutoResolveAfterMs(1_000L);
    for (int partition = 0; partition < TestLog.PARTITIONS; partition++) {
      log.append(
          partition, Codec.of(LogEntry.class).encode(LogEntries.of(new RulesActivated(rules))));
    }
    Alert alert = TestLog.alert("a1", "checkout", "High latency");
    int partition = TestLog.partition(alert);
    long opened = log.append(alert);
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () ->
                processor.onlyIncident(partition, opened).getState()
                    == IncidentState.INCIDENT_STATE_RESOLVED);
    assertThat(LogReader.read(topics.log(), partition)).hasSizeLessThan(15);
  }

  @Test
  void anotherGeneration_comesToTheSame() throws Exception {
    World world = new World(41);
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      sent.add(log.send(i % TestLog.PARTITIONS, world.next().bytes()));
    }
    long[] last = new long[TestLog.PARTITIONS];
    for (Future<RecordMetadata> each : sent) {
      last[each.get().partition()] = each.get().offset();
    }
    Topics other = new Topics(topics.prefix(), "g2");
    LogTopics.create(RunningProcessor.KAFKA, other, TestLog.PARTITIONS, 1);
    try (RunningProcessor second = new RunningProcessor(other, folder.resolve("g2"), Map.of())) {
      for (int partition = 0; partition < TestLog.PARTITIONS; partition++) {
        assertThat(second.incidents(partition, last[partition])).isNotEmpty();
        assertThat(processor.incidents(partition, last[partition])).isNotEmpty();
        MemoryStore model = LogReader.fold(topics.log(), partition);
        assertThat(second.digest(partition).getExact()).isEqualTo(model.digest().exact());
        assertThat(processor.digest(partition).getExact()).isEqualTo(model.digest().exact());
      }
    }
  }

  @Test
  void minPosition_waitsForWhatIsToComeAndRefusesWhatIsBeyondTheEnd() throws Exception {
    Alert alert = TestLog.alert("a1", "checkout", "High latency");
    int partition = TestLog.partition(alert);
    long last = log.append(alert);
    processor.onlyIncident(partition, last);
    assertThatThrownBy(() -> processor.incidents(partition, last + 50))
        .satisfies(
            failure ->
                assertThat(Status.fromThrowable(failure).getCode())
                    .isEqualTo(Status.Code.INVALID_ARGUMENT));
    CompletableFuture<Incident> waiting =
        CompletableFuture.supplyAsync(() -> processor.onlyIncident(partition, last + 1));
    log.append(TestLog.alert("a2", "checkout", "High latency"));
    assertThat(waiting.join().getOccurrences()).isEqualTo(2);
  }

  @Test
  void owners_areToldAlsoToThoseWhoAskEarly() {
    Iterator<Owners> told =
        processor
            .state
            .withDeadlineAfter(Duration.ofSeconds(20))
            .watchOwners(WatchOwnersRequest.getDefaultInstance());
    Owners owners = told.next();
    while (owners.getOwnersCount() == 0
        || owners.getOwners(0).getActiveCount() < TestLog.PARTITIONS) {
      owners = told.next();
    }
    assertThat(owners.getPartitions()).isEqualTo(TestLog.PARTITIONS);
    assertThat(owners.getOwners(0).getAddress()).isEqualTo("localhost:9001");
  }

  private void open() throws Exception {
    processor = new RunningProcessor(topics, folder, Map.of());
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file :
          files.filter(each -> !each.equals(folder)).sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
