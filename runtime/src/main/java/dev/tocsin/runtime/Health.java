package dev.tocsin.runtime;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * Whether a server can do its work: a set of named conditions, each met or not, with the reason in
 * words. It serves while all are met. A condition that nobody has reported yet is not met.
 *
 * <p>Thread-safe. Watchers are called in the reporting thread, after a change only.
 */
public final class Health {
  private static final String UNKNOWN = "not known yet";

  private final Map<String, String> unmet = new TreeMap<>();
  private final CopyOnWriteArrayList<Consumer<Boolean>> watchers = new CopyOnWriteArrayList<>();

  /** Names a condition that must be met; until it is reported it is not. */
  public synchronized void require(String condition) {
    unmet.putIfAbsent(condition, UNKNOWN);
  }

  /** The condition is met. */
  public void met(String condition) {
    report(condition, null);
  }

  /** The condition is not met, and why, for an operator to read. */
  public void unmet(String condition, String reason) {
    report(condition, reason);
  }

  /** Whether everything that is required is met. */
  public synchronized boolean serving() {
    return unmet.isEmpty();
  }

  /** What is not met: condition to reason. Empty while serving. */
  public synchronized Map<String, String> problems() {
    return Map.copyOf(unmet);
  }

  /** Tells {@code watcher} now, and after each change, whether the server serves. */
  public void watch(Consumer<Boolean> watcher) {
    watchers.add(watcher);
    watcher.accept(serving());
  }

  private void report(String condition, String reason) {
    boolean before;
    boolean after;
    synchronized (this) {
      before = unmet.isEmpty();
      if (reason == null) {
        unmet.remove(condition);
      } else {
        unmet.put(condition, reason);
      }
      after = unmet.isEmpty();
    }
    if (before != after) {
      watchers.forEach(watcher -> watcher.accept(after));
    }
  }
}
