package dev.tocsin.processor;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What to do when a stream thread dies: it is replaced, three times in five minutes; after that the
 * cause will not go away by itself, and the processor stops and says so. Thread-safe.
 */
final class ThreadFailures implements StreamsUncaughtExceptionHandler {
  static final int REPLACED_MAX = 3;
  static final Duration WINDOW = Duration.ofMinutes(5);

  private static final Logger LOG = LoggerFactory.getLogger(ThreadFailures.class);

  private final Clock clock;
  private final Consumer<String> givenUp;
  private final Deque<Instant> recent = new ArrayDeque<>();

  /**
   * A handler.
   *
   * @param givenUp told why, when threads are not replaced any more
   */
  ThreadFailures(Clock clock, Consumer<String> givenUp) {
    this.clock = clock;
    this.givenUp = givenUp;
  }

  @Override
  public synchronized StreamThreadExceptionResponse handle(Throwable failure) {
    Instant now = clock.instant();
    while (!recent.isEmpty() && recent.peekFirst().plus(WINDOW).isBefore(now)) {
      recent.removeFirst();
    }
    if (recent.size() < REPLACED_MAX) {
      recent.addLast(now);
      LOG.error(
          "a stream thread died and is replaced, {} of {}", recent.size(), REPLACED_MAX, failure);
      return StreamThreadExceptionResponse.REPLACE_THREAD;
    }
    LOG.error("a stream thread died again; the processor stops", failure);
    givenUp.accept("stream threads keep dying: " + failure);
    return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
  }
}
