package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * That Kafka Streams calls the hook before each commit, in its transaction, and what that costs.
 */
class CommitHookIT {
  private static final int BYTES_PER_DUPLICATE_MAX = 100;

  @TempDir Path folder;

  private final Topics topics = RunningProcessor.topics();
  private final String changelog = topics.applicationId() + "-state-changelog";
  private final Admin admin = Admin.create(Map.copyOf(RunningProcessor.KAFKA));
  private TestLog log;

  @BeforeEach
  void start() {
    LogTopics.create(RunningProcessor.KAFKA, topics, TestLog.PARTITIONS, 1);
    log = new TestLog(topics, RunningProcessor.KAFKA);
  }

  @AfterEach
  void stop() {
    log.close();
    admin.close();
  }

  @Test
  void state_isNeverBehindTheCommittedOffsetNorAheadOfIt() throws Exception {
    World world = new World(51);
    long commits = 0;
    long last = -1;
    try (RunningProcessor processor = open("100ms")) {
      for (int round = 0; round < 15; round++) {
        for (int i = 0; i < 40; i++) {
          var unused = log.send(0, world.next().bytes());
        }
        long end = log.append(0, world.next().bytes());
        long committed = committed();
        // Kafka tells each partition that a transaction is committed, one a moment after another.
        List<Long> stored = stored("read_uncommitted");
        assertThat(stored).as("the state that belongs to the offset").contains(committed);
        assertThat(processor.progress(0).getAppliedOffset()).isGreaterThanOrEqualTo(last(stored));
        commits += committed > last ? 1 : 0;
        last = committed;
        processor.incidents(0, end);
      }
      assertThat(commits).as("there was something to see").isGreaterThan(5);
      Awaitility.await().until(() -> committed() == processor.progress(0).getAppliedOffset());
      awaitStored(this::committed);
    }
    awaitStored(this::committed);
  }

  @Test
  void stop_commitsWhatIsAppliedAndNotYetCommitted() throws Exception {
    long end;
    try (RunningProcessor processor = open("10s")) {
      end = log.append(0, TestLog.entry(TestLog.alert("a1", "checkout", "slow")));
      processor.incidents(0, end);
    }
    assertThat(committed()).isEqualTo(end + 1);
    awaitStored(() -> end + 1);
  }

  @Test
  void duplicates_costOneSmallRecordOfEachKindACommit() throws Exception {
    int duplicates = 5_000;
    try (RunningProcessor processor = open("2s")) {
      append(processor, alerts("first", 1, 1));
      List<ConsumerRecord<byte[], byte[]>> before = LogReader.read(changelog, 0);
      append(processor, alerts("again", duplicates, 1));
      List<ConsumerRecord<byte[], byte[]>> written = LogReader.read(changelog, 0);
      written = written.subList(before.size(), written.size());
      Map<Character, Integer> kinds = kinds(written);
      double bytes = (double) bytes(written) / duplicates;
      System.out.printf(
          "%d duplicates of one condition: changelog records %s, %.1f bytes an alert%n",
          duplicates, kinds, bytes);
      assertThat(kinds.get((char) StateKeys.TALLY)).as("commits").isBetween(1, 3);
      assertThat(kinds.get('S')).isBetween(1, 3);
      assertThat(kinds.get((char) StateKeys.RECEIPTS)).isBetween(1, 3);
      assertThat(kinds).doesNotContainKeys('I', 'G', 'X');
      assertThat(bytes).isLessThan(BYTES_PER_DUPLICATE_MAX);
    }
  }

  @Test
  void duplicates_ofAsManyConditionsCostLessThanTheBound() throws Exception {
    int conditions = 3_000;
    try (RunningProcessor processor = open("2s")) {
      append(processor, alerts("first", conditions, conditions));
      List<ConsumerRecord<byte[], byte[]>> before = LogReader.read(changelog, 0);
      append(processor, alerts("again", conditions, conditions));
      List<ConsumerRecord<byte[], byte[]>> written = LogReader.read(changelog, 0);
      written = written.subList(before.size(), written.size());
      System.out.printf(
          "%d duplicates of as many conditions: changelog records %s, %.1f bytes an alert%n",
          conditions, kinds(written), (double) bytes(written) / conditions);
      assertThat((double) bytes(written) / conditions).isLessThan(BYTES_PER_DUPLICATE_MAX);
    }
  }

  private RunningProcessor open(String interval) throws Exception {
    return new RunningProcessor(topics, folder, Map.of("processor.commit-interval", interval));
  }

  /**
   * All to partition 0, whatever their route, in entries of 500; returns once they are committed.
   */
  private void append(RunningProcessor processor, List<Alert> alerts) throws Exception {
    long last = 0;
    for (int i = 0; i < alerts.size(); i += 500) {
      List<Alert> part = alerts.subList(i, Math.min(alerts.size(), i + 500));
      last = log.append(0, TestLog.entry(part.toArray(Alert[]::new)));
    }
    long end = last + 1;
    processor.incidents(0, last);
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> committed() >= end); // a tick may follow
  }

  private static List<Alert> alerts(String id, int count, int conditions) {
    List<Alert> alerts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      alerts.add(TestLog.alert(id + i, "service " + i % conditions, "slow"));
    }
    return alerts;
  }

  private long committed() throws Exception {
    return LogReader.committed(admin, topics.applicationId(), topics.log(), 0);
  }

  private void awaitStored(Callable<Long> applied) {
    Awaitility.await()
        .untilAsserted(() -> assertThat(last(stored("read_committed"))).isEqualTo(applied.call()));
  }

  /** The applied offsets in the changelog. */
  private List<Long> stored(String isolation) {
    List<Long> applied = new ArrayList<>();
    applied.add(0L); // without any state nothing is applied, and Streams may commit just that
    for (ConsumerRecord<byte[], byte[]> change : LogReader.read(changelog, 0, isolation)) {
      if (change.key().length == 1 && change.key()[0] == 'S') {
        applied.add(Codec.of(PartitionState.class).decode(change.value()).getAppliedOffset());
      }
    }
    return applied;
  }

  private static long last(List<Long> applied) {
    return applied.get(applied.size() - 1);
  }

  private static Map<Character, Integer> kinds(List<ConsumerRecord<byte[], byte[]>> changes) {
    Map<Character, Integer> kinds = new TreeMap<>();
    changes.forEach(change -> kinds.merge((char) change.key()[0], 1, Integer::sum));
    return kinds;
  }

  /** Keys, values, and the headers that Kafka Streams adds. */
  private static long bytes(List<ConsumerRecord<byte[], byte[]>> changes) {
    long sum = 0;
    for (ConsumerRecord<byte[], byte[]> change : changes) {
      sum += change.serializedKeySize() + Math.max(0, change.serializedValueSize());
      for (var header : change.headers()) {
        sum += header.key().length() + header.value().length;
      }
    }
    return sum;
  }
}
