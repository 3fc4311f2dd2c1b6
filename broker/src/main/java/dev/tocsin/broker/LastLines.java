package dev.tocsin.broker;

import java.util.ArrayDeque;
import java.util.Deque;

/** The last lines that were said, and no more. Thread-safe. */
final class LastLines {
  private static final int LINES_MAX = 20;

  private final Deque<String> lines = new ArrayDeque<>();

  synchronized void add(String line) {
    if (lines.size() == LINES_MAX) {
      lines.removeFirst();
    }
    lines.addLast(line);
  }

  @Override
  public synchronized String toString() {
    return String.join("\n", lines);
  }
}
