package dev.tocsin.processor;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;

/**
 * Where partitions of the log end, as told after it was asked here: what had been acknowledged by
 * then lies before it. Of a partition one request is under way at a time; all who come meanwhile
 * share the next one. Thread-safe; never blocks.
 */
final class FreshEnds {
  /** One partition's: whether a request is under way, and who waits for the next. */
  private static final class Line {
    private boolean asking;
    private CompletableFuture<Long> next = new CompletableFuture<>();
    private boolean wanted;
  }

  private final IntFunction<CompletionStage<Long>> logEnds;
  private final Map<Integer, Line> lines = new ConcurrentHashMap<>();

  /**
   * Nothing is asked yet.
   *
   * @param logEnds asks for the end of a partition
   */
  FreshEnds(IntFunction<CompletionStage<Long>> logEnds) {
    this.logEnds = logEnds;
  }

  /** The partition's end; fails as the request for it does. */
  CompletionStage<Long> end(int partition) {
    Line line = lines.computeIfAbsent(partition, first -> new Line());
    CompletableFuture<Long> end;
    synchronized (line) {
      end = line.next;
      line.wanted = true;
    }
    ask(partition, line);
    return end;
  }

  private void ask(int partition, Line line) {
    CompletableFuture<Long> asked;
    synchronized (line) {
      if (line.asking || !line.wanted) {
        return;
      }
      line.asking = true;
      line.wanted = false;
      asked = line.next;
      line.next = new CompletableFuture<>();
    }
    logEnds
        .apply(partition)
        .whenComplete(
            (end, failure) -> {
              synchronized (line) {
                line.asking = false;
              }
              ask(partition, line);
              if (failure == null) {
                asked.complete(end);
              } else {
                asked.completeExceptionally(failure);
              }
            });
  }
}
