package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.engine.Fold;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.state.ScanIncidentsRequest;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.SchemaPublisher;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.DeadLetter;
import dev.tocsin.schemas.DeadLetterReason;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.SchemaRefusal;
import dev.tocsin.schemas.Topics;
import dev.tocsin.schemas.WriterSchema;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An older processor meets newer writers. All partitions are on one thread. */
class PauseIT {
  private static final Map<String, String> KAFKA = RunningProcessor.KAFKA;
  private static final Duration SOON = Duration.ofSeconds(20);

  @TempDir Path folder;

  private final Topics topics = RunningProcessor.topics();
  private final NewerWriter newer = new NewerWriter("origin");
  private final Alert first = TestLog.alert("a1", "checkout", "slow");
  private final int partition = TestLog.partition(first);
  private TestLog log;
  private RunningProcessor processor;

  @BeforeEach
  void start() throws Exception {
    LogTopics.create(KAFKA, topics, TestLog.PARTITIONS, 1);
    log = new TestLog(topics, KAFKA);
    open(Map.of(), Health::serving);
  }

  @AfterEach
  void stop() {
    processor.close();
    log.close();
  }

  @Test
  void newerEntry_pausesItsPartitionUntilItsSchemaIsPublished() throws Exception {
    log.append(first);
    long paused = log.append(partition, newer(TestLog.alert("a2", "checkout", "slow")));
    long last = log.append(TestLog.alert("a3", "checkout", "slow", AlertStatus.ENDED));
    awaitPaused("offset " + paused, "schema %016x".formatted(newer.fingerprint()));

    Alert elsewhere = elsewhere();
    assertThat(processor.incidents(TestLog.partition(elsewhere), log.append(elsewhere)))
        .as("the thread's other partitions go on")
        .hasSize(1);
    Incident before = processor.onlyIncident(partition, -1);
    assertThat(before.getOccurrences()).isEqualTo(1);
    assertThat(processor.progress(partition).getAppliedOffset()).isEqualTo(paused);
    assertThatThrownBy(() -> scan(paused))
        .satisfies(failure -> assertThat(code(failure)).isEqualTo(Status.Code.DEADLINE_EXCEEDED));
    Awaitility.await("what is committed stays before the entry")
        .atMost(SOON)
        .until(() -> committed() == paused);
    assertThat(processor.health.serving()).isFalse();
    assertThat(paused("UNKNOWN_SCHEMA")).isEqualTo(1);

    assertThat(SchemaPublisher.publish(KAFKA, topics.schemas(), newer.key(), newer.json()))
        .isTrue();
    long publishedNs = System.nanoTime();
    Awaitility.await()
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(5))
        .until(processor.health::serving);
    System.out.printf(
        "went on %d ms after its schema was published%n",
        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - publishedNs));
    Incident after = processor.onlyIncident(partition, last);
    assertThat(after.getState()).isEqualTo(IncidentState.INCIDENT_STATE_RESOLVED);
    assertThat(after.getOccurrences()).isEqualTo(2);
    assertThat(paused("UNKNOWN_SCHEMA")).isZero();
    assertThat(LogReader.read(topics.deadLetters(), 0)).isEmpty();
    assertAppliedOnceAndInOrder();
  }

  @Test
  void pause_outlivesARestart() throws Exception {
    log.append(first);
    long paused = log.append(partition, newer(TestLog.alert("a2", "checkout", "slow")));
    awaitPaused("offset " + paused);
    processor.close();
    long last = log.append(TestLog.alert("a3", "checkout", "slow", AlertStatus.ENDED));
    open(Map.of(), health -> problem(health).contains("paused at offset " + paused));
    assertThatThrownBy(() -> scan(-1))
        .as("it has not applied what was there when it took over")
        .satisfies(failure -> assertThat(code(failure)).isEqualTo(Status.Code.UNAVAILABLE));
    SchemaPublisher.publish(KAFKA, topics.schemas(), newer.key(), newer.json());
    Awaitility.await().atMost(SOON).until(processor.health::serving);
    assertThat(processor.onlyIncident(partition, last).getState())
        .isEqualTo(IncidentState.INCIDENT_STATE_RESOLVED);
    assertAppliedOnceAndInOrder();
  }

  @Test
  void schema_thatWasPublishedBeforeTheStartIsKnown() throws Exception {
    processor.close();
    SchemaPublisher.publish(KAFKA, topics.schemas(), newer.key(), newer.json());
    long last = log.append(partition, newer(first));
    open(Map.of(), Health::serving);
    assertThat(processor.onlyIncident(partition, last).getOccurrences()).isEqualTo(1);
  }

  @Test
  void schema_thatIsNotWhatItsKeySaysEndsNoPause() throws Exception {
    awaitPaused("offset " + log.append(partition, newer(first)));
    NewerWriter other = new NewerWriter("other");
    SchemaPublisher.publish(KAFKA, topics.schemas(), newer.key(), other.json());
    SchemaPublisher.publish(
        KAFKA, topics.schemas(), new byte[] {1}, "{".getBytes(StandardCharsets.UTF_8));
    Awaitility.await().atMost(SOON).until(() -> refused(SchemaRefusal.OTHER_FINGERPRINT) == 1);
    Awaitility.await().atMost(SOON).until(() -> refused(SchemaRefusal.MALFORMED) == 1);
    SchemaPublisher.publish(KAFKA, topics.schemas(), other.key(), other.json());
    Awaitility.await()
        .during(Duration.ofSeconds(1))
        .atMost(SOON)
        .until(() -> paused("UNKNOWN_SCHEMA") == 1 && !processor.health.serving());
    assertThat(SchemaPublisher.publish(KAFKA, topics.schemas(), newer.key(), newer.json()))
        .isTrue();
    Awaitility.await().atMost(SOON).until(processor.health::serving);
  }

  @Test
  void entryForANewerEngine_waitsForNewerSoftwareOrForAnOperatorToSkipIt() throws Exception {
    LogEntry entry = LogEntries.tick();
    entry.setEngineVersionMin(Fold.ENGINE_VERSION + 1);
    byte[] bytes = Codec.of(LogEntry.class).encode(entry);
    long offset = log.append(partition, bytes);
    long last = log.append(first);
    awaitPaused("offset " + offset, "needs engine version " + (Fold.ENGINE_VERSION + 1));
    processor.close();
    // One that is named and can be applied is applied: a setting left behind loses nothing.
    String skip = "%d:%d, %d:%d".formatted(partition, offset, partition, last);
    open(Map.of("processor.skip", skip), Health::serving);
    assertThat(processor.onlyIncident(partition, last).getOccurrences()).isEqualTo(1);
    Awaitility.await("it is committed")
        .atMost(SOON)
        .until(() -> !LogReader.read(topics.deadLetters(), 0).isEmpty());
    assertThat(LogReader.read(topics.deadLetters(), 0))
        .singleElement()
        .satisfies(
            record -> {
              DeadLetter letter = Codec.of(DeadLetter.class).decode(record.value());
              assertThat(letter.getReason()).isEqualTo(DeadLetterReason.SKIPPED);
              assertThat(letter.getOffset()).isEqualTo(offset);
              assertThat(letter.getEntry().array()).isEqualTo(bytes);
            });
  }

  @Test
  void quietPause_getsNoTicks() throws Exception {
    var rules = World.quick(2);
    rules.setAutoResolveAfterMs(1_000L);
    log.append(
        partition,
        Codec.of(LogEntry.class)
            .encode(LogEntries.of(new dev.tocsin.schemas.RulesActivated(rules))));
    log.append(first);
    long paused = log.append(partition, newer(TestLog.alert("a2", "checkout", "slow")));
    awaitPaused("offset " + paused);
    Awaitility.await()
        .during(Duration.ofSeconds(4))
        .atMost(SOON)
        .until(() -> LogReader.read(topics.log(), partition).size() == paused + 1);
  }

  @Test
  void publish_writesOnceAndNeedsTheTopic() {
    WriterSchema schema = WriterSchema.of(LogEntry.class);
    assertThat(SchemaPublisher.publish(KAFKA, topics.schemas(), schema.key(), schema.json()))
        .as("whoever made the topics has published it")
        .isFalse();
    assertThat(LogReader.read(topics.schemas(), 0))
        .filteredOn(record -> Arrays.equals(record.key(), schema.key()))
        .singleElement()
        .satisfies(record -> assertThat(record.value()).isEqualTo(schema.json()));
    assertThat(LogReader.read(topics.schemas(), 0))
        .as("each kind of record that a processor writes")
        .hasSize(StateCodecs.WRITTEN.size() + 3)
        .anyMatch(
            record -> Arrays.equals(record.key(), WriterSchema.of(IncidentEvent.class).key()));
    assertThatThrownBy(() -> SchemaPublisher.publish(KAFKA, "none", schema.key(), schema.json()))
        .isInstanceOf(UnknownTopicOrPartitionException.class);
  }

  private void open(Map<String, String> more, java.util.function.Predicate<Health> started)
      throws Exception {
    Map<String, String> settings = new java.util.HashMap<>(Map.of("processor.threads", "1"));
    settings.putAll(more);
    processor = new RunningProcessor(topics, folder, settings, started);
  }

  private byte[] newer(Alert alert) {
    return newer.encode(TestLog.entry(alert));
  }

  /** One that goes to another partition. */
  private Alert elsewhere() {
    for (int i = 0; true; i++) {
      Alert alert = TestLog.alert("b", "service " + i, "slow");
      if (TestLog.partition(alert) != partition) {
        return alert;
      }
    }
  }

  private void awaitPaused(String... words) {
    Awaitility.await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(problem(processor.health))
                    .contains("partition " + partition + " is paused")
                    .contains(words));
  }

  private static String problem(Health health) {
    return health.problems().getOrDefault(Processor.CONDITION, "");
  }

  private void scan(long minOffset) {
    var unused =
        processor
            .state
            .withDeadlineAfter(1, TimeUnit.SECONDS)
            .scanIncidents(
                ScanIncidentsRequest.newBuilder()
                    .setPartition(partition)
                    .setWorkspace("default")
                    .setLimit(10)
                    .setMinOffset(minOffset)
                    .build());
  }

  private static Status.Code code(Throwable failure) {
    return Status.fromThrowable(failure).getCode();
  }

  private double paused(String reason) {
    return processor
        .meters
        .get("tocsin.processor.partitions.paused")
        .tag("reason", reason)
        .gauge()
        .value();
  }

  private double refused(SchemaRefusal why) {
    var counter =
        processor
            .meters
            .find("tocsin.processor.schemas.refused")
            .tag("reason", why.name())
            .counter();
    return counter == null ? 0 : counter.count();
  }

  private long committed() throws Exception {
    try (Admin admin = Admin.create(Map.copyOf(KAFKA))) {
      return LogReader.committed(admin, topics.applicationId(), topics.log(), partition);
    }
  }

  /** The state and the events are those of one fold over the log, each event once. */
  private void assertAppliedOnceAndInOrder() throws Exception {
    Codec<LogEntry> codec = Codec.of(LogEntry.class);
    assertThat(codec.learn(newer.key(), newer.json())).isEmpty();
    MemoryStore model = new MemoryStore();
    List<IncidentEvent> events = new ArrayList<>();
    Fold fold = new Fold(model, events::add);
    for (ConsumerRecord<byte[], byte[]> entry : LogReader.read(topics.log(), partition)) {
      fold.apply(codec.decode(entry.value()), entry.offset(), entry.timestamp());
    }
    assertThat(processor.digest(partition).getExact()).isEqualTo(model.digest().exact());
    Awaitility.await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(
                        LogReader.read(topics.events(), partition).stream()
                            .map(event -> Codec.of(IncidentEvent.class).decode(event.value()))
                            .toList())
                    .isEqualTo(events));
    assertThat(events).isNotEmpty();
  }
}
