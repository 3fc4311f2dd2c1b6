package dev.tocsin.processor;

import dev.tocsin.schemas.Key128;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * The requests that a partition lately refused because it keeps too many outcomes already: such a
 * command has no outcome of its own, and yet it is sure that it did nothing. In memory, and bounded
 * ({@link #MAX}): of one that was forgotten, or was refused by an owner before this one, nobody
 * knows. Thread-safe.
 */
final class RefusedRequests {
  /** The newest that are remembered; an asker comes within milliseconds. */
  static final int MAX = 10_000;

  private final Set<Key128> requests = new LinkedHashSet<>();

  /** By {@link dev.tocsin.engine.Outcomes#key}; of too many, the oldest is forgotten. */
  synchronized void add(Key128 request) {
    requests.remove(request);
    requests.add(request);
    if (requests.size() > MAX) {
      var oldest = requests.iterator();
      oldest.next();
      oldest.remove();
    }
  }

  /** It was sent again, and has an outcome now. */
  synchronized void remove(Key128 request) {
    requests.remove(request);
  }

  synchronized boolean contains(Key128 request) {
    return requests.contains(request);
  }
}
