package dev.tocsin.cli;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Reads and parses lines on a thread of its own, ahead of who takes them: at most {@link
 * #LINES_MAX}, and {@link #BYTES_MAX} of alerts; then it waits. All methods but {@link #start} are
 * called under the lock that it is given.
 */
final class ReadAhead {
  static final int LINES_MAX = 1024;
  static final long BYTES_MAX = 8 << 20;

  /** Handed over in one go, if so many are there: the threads meet less often then. */
  private static final int BATCH_MAX = 64;

  private final AlertLines source;
  private final ReentrantLock lock;
  private final Condition changed;
  private final Condition room;
  private final ArrayDeque<AlertLines.Line> lines = new ArrayDeque<>();
  private long bytes;
  private boolean ended;
  private boolean stopped;
  private Failure fault;

  /**
   * For one taker.
   *
   * @param changed of {@code lock}; signalled when there are new lines, or none any more
   */
  ReadAhead(AlertLines source, ReentrantLock lock, Condition changed) {
    this.source = source;
    this.lock = lock;
    this.changed = changed;
    this.room = lock.newCondition();
  }

  /** Begins to read. */
  void start() {
    Thread reader = new Thread(this::read, "alert-reader");
    reader.setDaemon(true); // it may hang in a read that nothing ends
    reader.start();
  }

  /** The next line; null if none is there now. */
  AlertLines.Line peek() {
    return lines.peek();
  }

  /** Takes the next line, which is there. */
  AlertLines.Line take() {
    AlertLines.Line line = lines.remove();
    bytes -= line.bytes();
    if (lines.size() <= LINES_MAX / 2) {
      room.signal();
    }
    return line;
  }

  /** Whether there is and will be no line any more. */
  boolean exhausted() {
    return ended && lines.isEmpty();
  }

  /** Why reading ended before the input did; null if it has not. */
  Failure fault() {
    return fault;
  }

  /** Reads no more. */
  void stop() {
    stopped = true;
    room.signal();
  }

  private void read() {
    Failure why = null;
    try {
      List<AlertLines.Line> batch = new ArrayList<>(BATCH_MAX);
      boolean wanted = true;
      for (var line = source.next(); line != null; line = wanted ? source.next() : null) {
        batch.add(line);
        if (batch.size() == BATCH_MAX || !source.buffered()) {
          wanted = hand(batch);
          batch.clear();
        }
      }
      hand(batch);
    } catch (IOException e) {
      why = new Failure(Failure.WORK_FAILED, "cannot read on: " + Failure.describe(e));
    } catch (InterruptedException e) {
      why = new Failure(Failure.WORK_FAILED, "interrupted");
    } catch (RuntimeException | Error e) {
      why = Failure.of(e);
    }
    end(why);
  }

  /** Hands over lines, as room comes; whether more are wanted. */
  private boolean hand(List<AlertLines.Line> batch) throws InterruptedException {
    lock.lock();
    try {
      for (AlertLines.Line line : batch) {
        while (!stopped && full(line)) {
          changed.signal();
          room.await();
        }
        lines.add(line);
        bytes += line.bytes();
      }
      changed.signal();
      return !stopped;
    } finally {
      lock.unlock();
    }
  }

  private boolean full(AlertLines.Line line) {
    return lines.size() >= LINES_MAX || (!lines.isEmpty() && bytes + line.bytes() > BYTES_MAX);
  }

  private void end(Failure why) {
    lock.lock();
    try {
      fault = why;
      ended = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
  }
}
