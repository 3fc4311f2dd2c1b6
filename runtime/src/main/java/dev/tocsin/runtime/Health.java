package dev.tocsin.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Whether a server can do its work: a set of named conditions, each met or not, with the reason in
 * words. It serves while all are met. A condition that nobody has reported yet is not met.
 *
 * <p>Thread-safe. Watchers are called in the reporting thread, one at a time and in the order of
 * the changes, so that the last they hear is how it is. They must neither wait nor report
 * themselves.
 */
public final class Health {
  private static final String UNKNOWN = "not known yet";

  private final Map<String, String> unmet = new TreeMap<>();
  private final List<Consumer<Boolean>> watchers = new ArrayList<>();

  /** Names a condition that must be met; until it is reported it is not. */
  public synchronized void require(String condition) {
    boolean before = serving();
    unmet.putIfAbsent(condition, UNKNOWN);
    tellIfNot(before);
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
  public synchronized void watch(Consumer<Boolean> watcher) {
    watchers.add(watcher);
    watcher.accept(serving());
  }

  private synchronized void report(String condition, String reason) {
    boolean before = serving();
    if (reason == null) {
      unmet.remove(condition);
    } else {
      unmet.put(condition, reason);
    }
    tellIfNot(before);
  }

  private void tellIfNot(boolean before) {
    boolean after = serving();
    if (before != after) {
      watchers.forEach(watcher -> watcher.accept(after));
    }
  }
}
