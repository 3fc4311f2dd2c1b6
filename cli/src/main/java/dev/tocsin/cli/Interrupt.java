package dev.tocsin.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * What a command does when it is told to end (Ctrl-C, SIGTERM): a step that makes it end, and time
 * to do so. Closed when the command is done.
 */
final class Interrupt implements AutoCloseable {
  /** How long the process stays for the command to end. */
  static final Duration WAIT_MAX = Duration.ofSeconds(30);

  private final CountDownLatch done = new CountDownLatch(1);
  private final Thread hook = new Thread(this::interrupted, "interrupt");
  private Runnable step = () -> {};
  private boolean happened;

  Interrupt() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Does {@code step}, which must be thread-safe, when told to end; at once if that has been. */
  synchronized void with(Runnable step) {
    this.step = step;
    if (happened) {
      step.run();
    }
  }

  /** Whether it was told to end. */
  synchronized boolean happened() {
    return happened;
  }

  @Override
  public void close() {
    done.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // the hook runs already, and has just been let go
    }
  }

  private void interrupted() {
    Runnable last;
    synchronized (this) {
      happened = true;
      last = step;
    }
    last.run();
    try {
      done.await(WAIT_MAX.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
