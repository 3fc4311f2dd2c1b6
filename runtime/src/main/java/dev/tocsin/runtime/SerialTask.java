package dev.tocsin.runtime;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A step that runs on shared threads, one at a time, and again after each {@link #wake}: the state
 * that it works on needs no lock. However often it is woken, at most one task of it waits at the
 * executor, so a queue of tasks is bounded by the number of steps there are.
 *
 * <p>Thread-safe. A step that fails, with an Error as well, is logged, and runs again when it is
 * woken. Where the executor has stopped, it does not run any more.
 */
public final class SerialTask {
  private static final Logger LOG = LoggerFactory.getLogger(SerialTask.class);

  private final Executor executor;
  private final Runnable step;
  private final AtomicInteger wakes = new AtomicInteger();

  /**
   * A task that is yet to be woken.
   *
   * @param step short; what is left over it does after waking itself, so that others have a turn
   */
  public SerialTask(Executor executor, Runnable step) {
    this.executor = executor;
    this.step = step;
  }

  /** Has the step run once more, after whatever the caller did before. Returns at once. */
  public void wake() {
    if (wakes.getAndIncrement() == 0) {
      submit();
    }
  }

  private void run() {
    int seen = wakes.get();
    try {
      step.run();
    } catch (RuntimeException | Error e) { // an Error too: another step may still help itself
      LOG.error("a step failed", e);
    } finally {
      if (wakes.addAndGet(-seen) != 0) {
        submit();
      }
    }
  }

  private void submit() {
    try {
      executor.execute(this::run);
    } catch (RejectedExecutionException stopped) {
      LOG.debug("its threads have stopped");
    }
  }
}
