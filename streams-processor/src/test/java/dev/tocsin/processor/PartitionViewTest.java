package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.engine.Fold;
import dev.tocsin.processor.PartitionView.TooManyWaitersException;
import dev.tocsin.schemas.LogEntries;
import io.grpc.Deadline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PartitionViewTest {
  private static final int WAITERS_MAX = 100;

  private final DiskStore disk = new DiskStore();
  private final PartitionStore store = new PartitionStore(disk.bytes(), () -> 1 << 20);
  private final Fold fold = new Fold(store, event -> {});
  private final PartitionView view = new PartitionView(3, store, Runnable::run, WAITERS_MAX);
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
  private long next;

  @AfterEach
  void close() {
    timer.shutdownNow();
    disk.close();
  }

  @Test
  void caughtUp_onlyOnceTheEndSeenIsApplied() {
    assertThat(view.caughtUp()).as("the end is not known").isFalse();
    assertThat(view.behind()).isFalse();
    view.takenOver(2);
    assertThat(view.caughtUp()).isFalse();
    assertThat(view.behind()).isTrue();
    apply();
    apply();
    assertThat(view.caughtUp()).isTrue();
    assertThat(view.behind()).isFalse();
  }

  @Test
  void await_isAnsweredInTheOrderOfOffsets() {
    List<Long> answered = new ArrayList<>();
    for (long offset : List.of(5L, 1L, 3L, 1L, 0L)) {
      CompletionStage<Void> unused = view.await(offset).thenRun(() -> answered.add(offset));
    }
    apply();
    assertThat(answered).containsExactly(0L);
    apply();
    apply();
    assertThat(answered).containsExactly(0L, 1L, 1L);
    for (int i = 0; i < 3; i++) {
      apply();
    }
    assertThat(answered).containsExactly(0L, 1L, 1L, 3L, 5L);
  }

  @Test
  void await_ofWhatIsAppliedIsDone() {
    apply();
    assertThat(view.await(0)).isCompleted();
    assertThat(view.await(1)).isNotDone();
  }

  @Test
  void await_hasABoundThatThoseWhoLeftDoNotCountFor() {
    List<CompletableFuture<Void>> waiting = new ArrayList<>();
    for (int i = 0; i < WAITERS_MAX; i++) {
      waiting.add(view.await(10));
    }
    assertThatThrownBy(() -> view.await(10)).isInstanceOf(TooManyWaitersException.class);
    waiting.get(0).cancel(false);
    assertThat(view.await(10)).isNotDone();
    assertThatThrownBy(() -> view.await(10)).isInstanceOf(TooManyWaitersException.class);
  }

  @Test
  void close_cancelsThoseWhoWaitAndThoseWhoCome() {
    CompletableFuture<Void> before = view.await(10);
    view.close();
    assertThat(before).isCancelled();
    assertThat(view.await(10)).as("it would wait for what never comes").isCancelled();
  }

  @Test
  void close_answersAlsoWhenThePoolIsGone() {
    var pool = Executors.newSingleThreadExecutor();
    PartitionView late = new PartitionView(3, store, pool, WAITERS_MAX);
    CompletableFuture<Void> waiting = late.await(10);
    pool.shutdownNow();
    late.close();
    assertThat(waiting).isCancelled();
  }

  @Test
  void await_whileTheFoldGoesOnMissesNothing() throws Exception {
    int entries = 20_000;
    Thread folding =
        new Thread(
            () -> {
              for (int i = 0; i < entries; i++) {
                apply();
              }
            });
    folding.start();
    for (long offset = 0; offset < entries; offset++) {
      view.await(offset).get(20, TimeUnit.SECONDS);
      assertThat(view.appliedOffset()).isGreaterThan(offset);
    }
    folding.join();
  }

  @Test
  void until_isDoneWhenItIsApplied() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    PositionWait wait = new PositionWait(at -> end(asked, 1), timer);
    CompletableFuture<Void> applied = wait.until(view, 0, null);
    assertThat(applied).isNotDone();
    apply();
    applied.get(5, TimeUnit.SECONDS);
  }

  @Test
  void until_beyondTheLogsEndIsInvalid() {
    AtomicInteger asked = new AtomicInteger();
    CompletableFuture<Void> applied =
        new PositionWait(at -> end(asked, 7), timer).until(view, 7, null);
    assertThatThrownBy(() -> applied.get(5, TimeUnit.SECONDS))
        .hasMessageContaining("INVALID_ARGUMENT")
        .hasMessageContaining("offset 7 of partition 3 is beyond the log's end, 7");
    assertThat(asked).hasValue(1);
  }

  @Test
  void until_withinTheLogWaitsToTheDeadline() {
    AtomicInteger asked = new AtomicInteger();
    CompletableFuture<Void> applied =
        new PositionWait(at -> end(asked, 8), timer)
            .until(view, 7, Deadline.after(300, TimeUnit.MILLISECONDS));
    assertThatThrownBy(() -> applied.get(5, TimeUnit.SECONDS))
        .hasMessageContaining("DEADLINE_EXCEEDED");
    assertThat(asked).hasValue(1);
  }

  @Test
  void until_isCancelledIfThePartitionMovesAway() {
    CompletableFuture<Void> applied =
        new PositionWait(at -> end(new AtomicInteger(), 8), timer).until(view, 7, null);
    view.close();
    assertThatThrownBy(applied::join)
        .hasCauseInstanceOf(java.util.concurrent.CancellationException.class);
  }

  @Test
  void open_asksForTheEndAgainUntilItIsTold() {
    AtomicInteger asked = new AtomicInteger();
    PartitionViews views =
        new PartitionViews(
            at ->
                asked.incrementAndGet() == 1
                    ? CompletableFuture.failedStage(new IllegalStateException("not now"))
                    : CompletableFuture.completedStage(0L),
            timer,
            Runnable::run,
            10);
    PartitionView opened = views.open(3, store);
    assertThat(views.answering(3)).as("the end is not known").isEmpty();
    Awaitility.await().atMost(Duration.ofSeconds(5)).until(() -> views.answering(3).isPresent());
    assertThat(views.owned()).containsExactly(opened);
    PartitionView next = views.open(3, store);
    views.close(opened);
    assertThat(views.owned()).as("the one that took its place stays").containsExactly(next);
    views.close(next);
    assertThat(views.answering(3)).isEmpty();
  }

  private static CompletionStage<Long> end(AtomicInteger asked, long end) {
    asked.incrementAndGet();
    return CompletableFuture.completedStage(end);
  }

  private void apply() {
    fold.apply(LogEntries.tick(), next++, 1_000);
    view.applied();
  }
}
