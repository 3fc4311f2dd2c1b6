package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Duration;
import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Fold;
import dev.tocsin.proto.incidents.Staleness;
import dev.tocsin.proto.state.ScanIncidentsRequest;
import dev.tocsin.proto.state.ScanIncidentsResponse;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec.UnknownSchemaException;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.SchemaRefusal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import org.apache.avro.Schema;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.processor.StandbyUpdateListener.SuspendReason;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which copies answer, what they say, and how stale they say that it is. */
class StandbysTest {
  private static final TopicPartition CHANGELOG = new TopicPartition("changelog", 3);
  private static final String STORE = FoldTopology.STATE_STORE;

  private final DiskStore disk = new DiskStore();
  private final PartitionStore owner = new PartitionStore(disk.bytes(), () -> 1 << 20);
  private final Fold fold = new Fold(owner, event -> {});
  private final MovedClock clock = startingClock();
  private final StateCodecs codecs = new StateCodecs();
  private final List<Integer> committedAsked = new ArrayList<>();
  private CompletionStage<Long> committed = CompletableFuture.completedStage(0L);
  private CompletionStage<Long> logEnd = CompletableFuture.completedStage(0L);
  private int offset;

  private final Standbys standbys =
      new Standbys(
          partition -> disk.bytes(),
          partition -> {
            committedAsked.add(partition);
            return committed;
          },
          partition -> logEnd,
          Runnable::run,
          codecs,
          clock);

  private static MovedClock startingClock() {
    MovedClock clock = new MovedClock();
    clock.set(Instant.ofEpochMilli(World.START_MS));
    return clock;
  }

  @AfterEach
  void close() {
    disk.close();
  }

  /** Applies an entry, and stores what it changes as a commit does. */
  private void apply(Alert... alerts) {
    if (offset == 0) {
      fold.apply(LogEntries.of(new RulesActivated(DefaultRules.read())), offset++, clock.millis());
    }
    fold.apply(LogEntries.of(new Alerts(1, List.of(alerts))), offset++, clock.millis());
    owner.flush();
  }

  private StandbyView view() {
    return standbys.view(3).toCompletableFuture().join();
  }

  private void assertNone() {
    assertThatThrownBy(() -> standbys.view(3).toCompletableFuture().get())
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(InvalidStateStoreException.class);
  }

  private static ScanIncidentsResponse scan(IncidentView view) {
    return new IncidentScan(
            view, ScanIncidentsRequest.newBuilder().setWorkspace("default").setLimit(100).build())
        .run(() -> false);
  }

  @Test
  void view_isNoneWhereThereIsNoCopy() {
    assertNone();
    standbys.onUpdateStart(CHANGELOG, STORE, 0);
    assertThat(view().state().getAppliedOffset()).isZero();
    standbys.onUpdateSuspended(CHANGELOG, STORE, 0, 0, SuspendReason.MIGRATED);
    assertNone();
  }

  @Test
  void view_isNoneUntilTheCopyHasAllThatWasCommittedWhenItBegan() {
    committed = CompletableFuture.completedStage(3L);
    standbys.onUpdateStart(CHANGELOG, STORE, 0);
    apply(TestLog.alert("a", "cart", "slow")); // offsets 0 and 1: not all
    assertNone();
    apply(TestLog.alert("b", "cart", "slow"));
    assertThat(scan(view()).getIncidentsCount()).isEqualTo(1);
    assertThat(committedAsked).as("once a copy").containsExactly(3);
    // From then on it follows, however far the owner is ahead.
    committed = CompletableFuture.completedStage(1_000L);
    assertThat(view().state().getAppliedOffset()).isEqualTo(3);
    standbys.onUpdateStart(CHANGELOG, STORE, 0);
    assertNone();
  }

  @Test
  void view_isNoneWhileItCannotBeToldWhetherItIsWhole() {
    committed = CompletableFuture.failedStage(new IllegalStateException("away"));
    standbys.onUpdateStart(CHANGELOG, STORE, 0);
    assertThatThrownBy(() -> view()).hasRootCauseMessage("away");
    committed = CompletableFuture.completedStage(0L);
    assertThat(view()).isNotNull();
  }

  @Test
  void view_saysHowFarItIsBehindTheLog() {
    apply(TestLog.alert("a", "cart", "slow"));
    standbys.onUpdateStart(CHANGELOG, STORE, 0);
    logEnd = CompletableFuture.completedStage(2L);
    clock.set(Instant.ofEpochMilli(World.START_MS + 60_000));
    assertThat(view().staleness())
        .contains(Staleness.newBuilder().setAge(Duration.getDefaultInstance()).build());
    logEnd = CompletableFuture.completedStage(7L);
    assertThat(view().staleness().orElseThrow().getEntries()).as("asked anew").isEqualTo(5);
    clock.set(Instant.ofEpochMilli(World.START_MS + 61_500));
    Staleness staleness = view().staleness().orElseThrow();
    assertThat(staleness.getEntries()).isEqualTo(5);
    assertThat(staleness.getAge().getSeconds()).isEqualTo(61);
    assertThat(staleness.getAge().getNanos()).isEqualTo(500_000_000);
  }

  @Test
  void view_isJudgedByAnEndThatWasAskedForAfterTheReadBegan() {
    apply(TestLog.alert("a", "cart", "slow"));
    standbys.onUpdateStart(CHANGELOG, STORE, 0);
    CompletableFuture<Long> before = new CompletableFuture<>();
    logEnd = before;
    CompletionStage<StandbyView> first = standbys.view(3);
    CompletableFuture<Long> after = new CompletableFuture<>();
    logEnd = after; // something was acknowledged since the first was asked
    CompletionStage<StandbyView> second = standbys.view(3);
    CompletionStage<StandbyView> third = standbys.view(3);
    before.complete(2L);
    assertThat(first.toCompletableFuture().join().staleness().orElseThrow().getEntries()).isZero();
    assertThat(second.toCompletableFuture().isDone()).isFalse();
    logEnd = new CompletableFuture<>(); // one request serves both
    after.complete(3L);
    assertThat(second.toCompletableFuture().join().staleness().orElseThrow().getEntries())
        .isEqualTo(1);
    assertThat(third.toCompletableFuture().isDone()).isTrue();
  }

  @Test
  void view_saysWhatTheOwnerSays() {
    for (int i = 0; i < 50; i++) {
      apply(TestLog.alert("a" + i, "service " + (i % 20), "slow"));
    }
    standbys.onUpdateStart(CHANGELOG, STORE, 0);
    PartitionView owned = new PartitionView(3, owner, Runnable::run, 1);
    ScanIncidentsResponse copied = scan(view());
    assertThat(copied.getIncidentsList()).isEqualTo(scan(owned).getIncidentsList()).hasSize(20);
    assertThat(copied.hasStaleness()).isTrue();
    assertThat(scan(owned).hasStaleness()).isFalse();
  }

  @Test
  void view_ofACopyThatIsPromotedGoesOnUnlessItIsFilledAnew() {
    apply(TestLog.alert("a", "cart", "slow"));
    standbys.onUpdateStart(CHANGELOG, STORE, 0);
    assertThat(view()).isNotNull();
    standbys.onUpdateSuspended(CHANGELOG, STORE, 40, 45, SuspendReason.PROMOTED);
    standbys.onRestoreStart(CHANGELOG, STORE, 41, 45);
    assertThat(view()).isNotNull();
    standbys.onRestoreStart(CHANGELOG, STORE, 0, 45);
    assertNone();
  }

  @Test
  void view_ofAnOwnedPartitionThatLagsIsWhole() {
    standbys.owned(3);
    committed = CompletableFuture.completedStage(1_000L);
    assertThat(view()).isNotNull();
    standbys.lost(3);
    assertNone();
  }

  @Test
  void view_ofWhatANewerOwnerWroteIsNoneUntilItsSchemasAreKnown() {
    apply(TestLog.alert("a", "cart", "slow"));
    standbys.onUpdateStart(CHANGELOG, STORE, 0);
    NewerWriter states = rewrite(StateKeys.STATE, PartitionState.getClassSchema());
    assertThatThrownBy(this::view).hasRootCauseInstanceOf(UnknownSchemaException.class);
    assertThat(codecs.learn(states.key(), states.json())).isEmpty();
    assertThat(scan(view()).getIncidentsCount()).isEqualTo(1);

    Key128 id = owner.walk("default", true, true, null).next();
    NewerWriter incidents =
        rewrite(StateKeys.of(StateKeys.INCIDENT, id), Incident.getClassSchema());
    assertThatThrownBy(() -> scan(view())).isInstanceOf(UnknownSchemaException.class);
    assertThat(codecs.learn(incidents.key(), incidents.json())).isEmpty();
    assertThat(scan(view()).getIncidentsCount()).isEqualTo(1);
    NewerWriter entries = new NewerWriter("more");
    assertThat(codecs.learn(entries.key(), entries.json())).contains(SchemaRefusal.OTHER_RECORD);
  }

  /** As an owner with newer software would have written it. */
  private NewerWriter rewrite(Bytes key, Schema today) {
    NewerWriter newer = new NewerWriter(today, "more");
    disk.bytes().put(key, newer.encode(disk.bytes().get(key)));
    return newer;
  }

  @Test
  void check_refusesWhatWasReadFromACopyThatWent() {
    standbys.onUpdateStart(CHANGELOG, STORE, 0);
    StandbyView view = view();
    standbys.check(view);
    standbys.onUpdateSuspended(CHANGELOG, STORE, 0, 0, SuspendReason.MIGRATED);
    assertThatThrownBy(() -> standbys.check(view)).isInstanceOf(InvalidStateStoreException.class);
  }

  @Test
  void reads_thatWaitForTheLogsEndAreBounded() {
    CompletableFuture<Long> slow = new CompletableFuture<>();
    logEnd = slow;
    standbys.onUpdateStart(CHANGELOG, STORE, 0);
    List<CompletionStage<StandbyView>> waiting = new ArrayList<>();
    for (int i = 0; i < Standbys.WAITING_MAX; i++) {
      waiting.add(standbys.view(3));
    }
    assertNone();
    slow.complete(0L);
    assertThat(waiting).allMatch(each -> each.toCompletableFuture().isDone());
    assertThat(view()).isNotNull();
  }
}
