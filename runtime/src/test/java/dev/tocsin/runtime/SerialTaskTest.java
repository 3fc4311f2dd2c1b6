package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SerialTaskTest {
  private final Deque<Runnable> queue = new ArrayDeque<>();
  private int runs;

  private void drain() {
    while (!queue.isEmpty()) {
      queue.poll().run();
    }
  }

  @Test
  void wake_oftenBeforeItRuns_runsItOnce() {
    SerialTask task = new SerialTask(queue::add, () -> runs++);
    task.wake();
    task.wake();
    task.wake();
    assertThat(queue).hasSize(1);
    drain();
    assertThat(runs).isEqualTo(1);
  }

  @Test
  void wake_whileItRuns_runsItAgainAfterwards() {
    SerialTask[] task = new SerialTask[1];
    task[0] =
        new SerialTask(
            queue::add,
            () -> {
              if (runs++ < 3) {
                task[0].wake();
                assertThat(queue).as("not beside itself").isEmpty();
              }
            });
    task[0].wake();
    drain();
    assertThat(runs).isEqualTo(4);
  }

  @Test
  void step_thatFailsRunsAgainWhenWoken() {
    SerialTask task =
        new SerialTask(
            queue::add,
            () -> {
              runs++;
              throw new IllegalStateException("once");
            });
    task.wake();
    drain();
    task.wake();
    drain();
    assertThat(runs).isEqualTo(2);
  }

  @Test
  void step_thatFailsWithAnErrorRunsAgainWhenWoken() {
    SerialTask task =
        new SerialTask(
            queue::add,
            () -> {
              runs++;
              throw new StackOverflowError("simulated");
            });
    task.wake();
    drain();
    task.wake();
    drain();
    assertThat(runs).isEqualTo(2);
  }

  @Test
  void wake_afterTheExecutorHasStoppedDoesNothing() {
    SerialTask task =
        new SerialTask(
            run -> {
              throw new RejectedExecutionException();
            },
            () -> runs++);
    task.wake();
    assertThat(runs).isZero();
  }

  @Test
  void step_isNeverRunTwiceAtOnceAndMissesNoWake() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger clashes = new AtomicInteger();
    AtomicInteger asked = new AtomicInteger();
    CountDownLatch last = new CountDownLatch(1);
    SerialTask task =
        new SerialTask(
            threads,
            () -> {
              if (inside.getAndIncrement() > 0) {
                clashes.incrementAndGet();
              }
              if (asked.get() == 40_000) {
                last.countDown();
              }
              inside.decrementAndGet();
            });
    for (int i = 0; i < 4; i++) {
      new Thread(
              () -> {
                for (int n = 0; n < 10_000; n++) {
                  asked.incrementAndGet();
                  task.wake();
                }
              })
          .start();
    }
    assertThat(last.await(30, TimeUnit.SECONDS)).as("it ran after the last wake").isTrue();
    threads.shutdown();
    assertThat(clashes).hasValue(0);
  }
}
