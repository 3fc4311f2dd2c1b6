package dev.tocsin.ingest;

import dev.tocsin.runtime.Caller;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The streams that are open, as many as there may be: of all callers together, and of each caller
 * who has said who they are. Callers whom nobody asks have no share of their own; they are told
 * apart by their connections. Thread-safe; waits for nothing but its own short lock.
 */
final class OpenStreams {
  private final int max;
  private final int principalMax;
  private final Map<AckStream<?>, Caller> open = new HashMap<>();
  private final Map<Caller, Integer> byCaller = new HashMap<>();
  private boolean closing;

  /** None yet. */
  OpenStreams(int max, int principalMax) {
    this.max = max;
    this.principalMax = principalMax;
  }

  /**
   * Takes a stream in, until {@link #ended}. One that comes while all are closing is closed.
   *
   * @return why not, for the caller to read; empty if it is taken
   */
  Optional<String> add(AckStream<?> stream, Caller caller) {
    synchronized (this) {
      if (open.size() >= max) {
        return Optional.of("too many streams are open");
      }
      if (!caller.isNobodyAsked() && byCaller.getOrDefault(caller, 0) >= principalMax) {
        return Optional.of("this caller has too many streams open, %d".formatted(principalMax));
      }
      open.put(stream, caller);
      byCaller.merge(caller, 1, Integer::sum);
      if (!closing) {
        return Optional.empty();
      }
    }
    stream.close();
    return Optional.empty();
  }

  synchronized void ended(AckStream<?> stream) {
    Caller caller = open.remove(stream);
    if (caller != null) {
      byCaller.computeIfPresent(caller, (c, count) -> count == 1 ? null : count - 1);
      notifyAll();
    }
  }

  /** Reads no stream any further. Each ends once what it brought is answered. */
  void close() {
    List<AckStream<?>> all;
    synchronized (this) {
      closing = true;
      all = List.copyOf(open.keySet());
    }
    all.forEach(AckStream::close);
  }

  /** Waits until every stream has ended, after {@link #close}; false if that took too long. */
  synchronized boolean awaitNone(Duration max) throws InterruptedException {
    long until = System.nanoTime() + max.toNanos();
    while (!open.isEmpty()) {
      long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
      if (left <= 0) {
        return false;
      }
      wait(left);
    }
    return true;
  }
}
