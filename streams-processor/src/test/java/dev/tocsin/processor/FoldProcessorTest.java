package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.engine.Fold;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.DeadLetter;
import dev.tocsin.schemas.DeadLetterReason;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FoldProcessorTest {
  private static final long START_MS = World.START_MS;

  private final FoldRig rig = new FoldRig(0);

  @AfterEach
  void close() throws Exception {
    rig.close();
  }

  @Test
  void process_comesToTheSameAsAFoldInTheHeap() {
    World world = new World(31);
    MemoryStore model = new MemoryStore();
    List<IncidentEvent> expected = new ArrayList<>();
    Fold fold = new Fold(model, expected::add);
    for (int offset = 0; offset < 400; offset++) {
      World.Entry next = world.next();
      fold.apply(next.entry(), offset, next.atMs());
      rig.append(next);
    }
    assertThat(rig.digest().exact()).isEqualTo(model.digest().exact());
    assertThat(rig.events()).isEqualTo(expected);
    assertThat(expected.stream().mapToLong(IncidentEvent::getSequence).boxed())
        .containsExactlyElementsOf(LongStream.rangeClosed(1, expected.size()).boxed().toList());
  }

  @Test
  void occurrences_arePublishedAtMostOnceASecondAndTheLastValueAlways() {
    rules(World.quick(1));
    for (int i = 0; i < 200; i++) {
      rig.append(TestLog.entry(TestLog.alert("a" + i, "checkout", "slow")), START_MS + 20L * i);
    }
    rig.append(tick(), START_MS + 10_000);
    List<IncidentEvent> occurred =
        rig.events().stream().filter(event -> event.getType() == EventType.OCCURRED).toList();
    assertThat(occurred).hasSizeBetween(3, 4);
    for (int i = 1; i < occurred.size(); i++) {
      assertThat(occurred.get(i).getAtMs() - occurred.get(i - 1).getAtMs())
          .isGreaterThanOrEqualTo(1_000);
    }
    assertThat(occurred.get(occurred.size() - 1).getOccurrences()).isEqualTo(200);
  }

  @Test
  void corruptEntries_areOneDeadLetterEachAndTheFoldGoesOn() {
    byte[] good = TestLog.entry(TestLog.alert("a", "checkout", "slow"));
    byte[] magic = good.clone();
    magic[0] = 0;
    byte[] truncated = Arrays.copyOf(good, good.length - 3);
    byte[] longer = Arrays.copyOf(good, good.length + 1);
    byte[] header = Arrays.copyOf(good, 10);
    // payload 0 (alerts), version 1, one alert, then a workspace of 2^31 bytes
    byte[] huge =
        ByteBuffer.allocate(18)
            .put(header)
            .put(new byte[] {0, 2, 2})
            .put(new byte[] {(byte) 0x80, (byte) 0x80, (byte) 0x80, (byte) 0x80, 0x10})
            .array();
    List<byte[]> corrupt = new ArrayList<>(List.of(magic, truncated, longer, huge, new byte[0]));
    corrupt.add(null);
    rules(World.quick(1));
    for (byte[] entry : corrupt) {
      rig.append(entry, START_MS + 5);
    }
    rig.append(good, START_MS + 10);
    List<DeadLetter> letters = rig.deadLetters();
    assertThat(letters).hasSize(corrupt.size());
    for (int i = 0; i < corrupt.size(); i++) {
      DeadLetter letter = letters.get(i);
      assertThat(letter.getReason()).isEqualTo(DeadLetterReason.UNDECODABLE);
      assertThat(letter.getPartition()).isZero();
      assertThat(letter.getOffset()).isEqualTo(1 + i);
      assertThat(letter.getAtMs()).isEqualTo(START_MS + 5);
      assertThat(letter.getDetail()).isNotBlank();
      assertThat(letter.getEntry() == null ? null : letter.getEntry().array())
          .isEqualTo(corrupt.get(i));
    }
    assertThat(rig.store().state().getAppliedOffset()).isEqualTo(2 + corrupt.size());
    assertThat(rig.store().state().getDeadLettered()).isEqualTo(corrupt.size());
    assertThat(rig.digest().incidents()).isEqualTo(1);
  }

  @Test
  void engineFailure_isADeadLetterAndNothingOfTheEntryHasHappened() {
    rules(World.quick(1));
    Alert known = TestLog.alert("a1", "checkout", "slow");
    rig.append(TestLog.entry(known), START_MS + 1);
    choke();
    rig.events();
    String before = rig.digest().exact();
    // The first alert of the entry is a mere repeat and goes well, the second makes the engine
    // fail.
    byte[] poison =
        TestLog.entry(
            TestLog.alert("a2", "checkout", "slow"), TestLog.alert("a3", "checkout", "another"));
    rig.append(poison, START_MS + 5);
    assertThat(rig.deadLetters())
        .singleElement()
        .satisfies(
            letter -> {
              assertThat(letter.getReason()).isEqualTo(DeadLetterReason.ENGINE_FAILURE);
              assertThat(letter.getOffset()).isEqualTo(2);
              assertThat(letter.getEntry().array()).isEqualTo(poison);
            });
    assertThat(rig.digest().exact()).isEqualTo(before);
    assertThat(rig.events()).isEmpty();
    assertThat(rig.store().state().getAppliedOffset()).isEqualTo(3);
    assertThat(rig.store().state().getAlerts()).isEqualTo(1);
    rules(World.quick(3));
    rig.append(TestLog.entry(TestLog.alert("a2", "checkout", "slow")), START_MS + 6);
    assertThat(rig.store().state().getRedelivered()).as("no receipt was kept of it").isZero();
    assertThat(rig.store().state().getOccurrences()).isEqualTo(2);
  }

  @Test
  void engineFailure_onATimerIsADeadLetterAndTheEntryIsStillApplied() {
    rules(World.quick(1));
    rig.append(TestLog.entry(TestLog.alert("a1", "checkout", "slow")), START_MS + 1);
    choke();
    rig.append(tick(), START_MS + 300_000);
    assertThat(rig.deadLetters())
        .isNotEmpty()
        .allSatisfy(
            letter -> {
              assertThat(letter.getReason()).isEqualTo(DeadLetterReason.ENGINE_FAILURE);
              assertThat(letter.getDetail()).contains("timer");
            });
    assertThat(rig.store().state().getAppliedOffset()).isEqualTo(3);
    assertThat(rig.store().state().getDeadLettered()).isZero();
    assertThat(rig.store().firstTimer()).isEmpty();
  }

  @Test
  void unreadableState_endsTheTaskAndNoEntryIsBlamed() {
    rules(World.quick(1));
    Alert alert = TestLog.alert("a1", "checkout", "slow");
    rig.append(TestLog.entry(alert), START_MS + 1);
    KeyValueStore<Bytes, byte[]> bytes = rig.disk.bytes();
    List<Bytes> incidents = new ArrayList<>();
    try (var all = bytes.all()) {
      all.forEachRemaining(
          each -> {
            if (each.key.get()[0] == StateKeys.GROUP) {
              incidents.add(each.key);
            }
          });
    }
    assertThat(incidents).hasSize(1);
    bytes.put(incidents.get(0), new byte[] {1, 2, 3});
    PartitionStore reopened = new PartitionStore(bytes, () -> 1 << 12);
    Fold fold = new Fold(reopened, event -> {});
    Alert another = TestLog.alert("a2", "checkout", "another");
    assertThatThrownBy(
            () -> fold.apply(LogEntries.of(new Alerts(1, List.of(another))), 2, START_MS))
        .hasCauseInstanceOf(Codec.UndecodableException.class)
        .satisfies(failure -> assertThat(FoldProcessor.ofTheStore(failure.getCause())).isTrue());
  }

  @Test
  void entries_thatTheStateHasAreSteppedOver() throws Exception {
    rules(World.quick(1));
    rig.append(TestLog.entry(TestLog.alert("a1", "checkout", "slow")), START_MS + 1);
    rig.append(TestLog.entry(TestLog.alert("a2", "checkout", "slow")), START_MS + 2);
    Map<Bytes, byte[]> kept = new HashMap<>();
    try (var all = rig.disk.bytes().all()) {
      all.forEachRemaining(each -> kept.put(each.key, each.value));
    }
    try (FoldRig again = new FoldRig(0)) {
      kept.forEach(again.disk.bytes()::put);
      again.reopen();
      // The group's offsets are lost: the log is read from its beginning.
      again.append(TestLog.entry(TestLog.alert("other", "other", "other")), START_MS);
      again.append(TestLog.entry(TestLog.alert("other", "other", "other")), START_MS);
      again.append(TestLog.entry(TestLog.alert("other", "other", "other")), START_MS);
      assertThat(again.digest().exact()).isEqualTo(rig.digest().exact());
      again.append(TestLog.entry(TestLog.alert("a3", "checkout", "slow")), START_MS + 3);
      assertThat(again.store().state().getAppliedOffset()).isEqualTo(4);
      assertThat(again.store().state().getOccurrences()).isEqualTo(3);
    }
  }

  @Test
  void emptyState_withAnOffsetInTheMiddleOfTheLogIsRefused() {
    rules(World.quick(1));
    rig.wipe();
    assertThatThrownBy(() -> rig.append(tick(), START_MS))
        .hasRootCauseInstanceOf(IllegalStateException.class)
        .rootCause()
        .hasMessageContaining("goes on at offset 1, but its state is empty");
  }

  @Test
  void tick_comesWhereSomethingIsDueAndNothingElseMovesTime() {
    rules(World.quick(1));
    rig.append(TestLog.entry(TestLog.alert("a1", "checkout", "slow")), START_MS + 1);
    wait(Duration.ofSeconds(10));
    assertThat(rig.ticks.history()).as("nothing is due").isEmpty();
    wait(Duration.ofSeconds(31));
    Awaitility.await().until(() -> rig.ticks.history().size() == 1);
    rig.append(tick(), START_MS + 41_000);
    wait(Duration.ofMillis(500));
    assertThat(rig.ticks.history()).as("it has just been fed").hasSize(1);
  }

  @Test
  void tick_comesWhereTheLogsEndIsNotReachedThoughNothingFollows() throws Exception {
    try (FoldRig behind = new FoldRig(3)) {
      behind.append(tick(), START_MS);
      assertThat(behind.views.answering(0)).isEmpty();
      behind.clock.advance(Duration.ofSeconds(2));
      behind.disk.driver.advanceWallClockTime(Duration.ofSeconds(1));
      Awaitility.await().until(() -> behind.ticks.history().size() == 1);
    }
  }

  @Test
  void tick_comesAtOnceWhileAnEntryLeavesWhatIsDue() {
    LogEntry begins = LogEntries.of(new RulesActivated(World.quick(1)));
    begins.setEngineActivated(3);
    rig.append(Codec.of(LogEntry.class).encode(begins), START_MS);
    Alert[] alerts = new Alert[1_600];
    for (int i = 0; i < alerts.length; i++) {
      alerts[i] = TestLog.alert("a" + i, "service-" + i, "down");
      alerts[i].setFiredAtMs(START_MS);
      alerts[i].setEndsAtMs(START_MS + 1_000);
    }
    rig.append(TestLog.entry(alerts), START_MS);
    assertThat(rig.ticks.history()).isEmpty();
    rig.append(tick(), START_MS + 9_000);
    assertThat(rig.views.timersBehindSeconds()).isEqualTo(8);
    Awaitility.await().until(() -> rig.ticks.history().size() == 1);
    rig.append(new byte[] {1}, START_MS + 9_005);
    assertThat(rig.views.timersBehindSeconds()).isEqualTo(8.005);
    assertThat(rig.ticks.history()).as("what else comes settles as well").hasSize(1);
    rig.append(tick(), START_MS + 9_010);
    Awaitility.await().until(() -> rig.ticks.history().size() == 2);
    rig.append(tick(), START_MS + 9_020);
    assertThat(rig.views.timersBehindSeconds()).isZero();
    wait(Duration.ofMillis(250));
    assertThat(rig.ticks.history()).as("nothing is left").hasSize(2);
  }

  private void wait(Duration by) {
    rig.clock.advance(by);
    rig.disk.driver.advanceWallClockTime(by);
  }

  private void rules(Rules rules) {
    rig.append(Codec.of(LogEntry.class).encode(LogEntries.of(new RulesActivated(rules))), START_MS);
  }

  /**
   * Rules that the fold would refuse as an entry, put where only a fault could: any change of an
   * incident now fails.
   */
  private void choke() {
    Rules rules = World.quick(2);
    rules.setTimelineMax(-100);
    rig.disk.bytes().put(StateKeys.RULES, Codec.of(Rules.class).encode(rules));
    rig.reopen();
  }

  private static byte[] tick() {
    return Codec.of(LogEntry.class).encode(LogEntries.tick());
  }
}
