package dev.tocsin.processor;

import dev.tocsin.engine.Changes;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.PartitionState;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A workspace's incidents as they were between two commits of the fold, newest first. Their ids are
 * an iterator's over the index, which RocksDB keeps as it was. The incidents are read as they are,
 * and what the fold changes meanwhile is kept here as it was before ({@link #keep}), within a bound
 * that all snapshots share.
 *
 * <p>One thread reads it; the fold's thread calls {@link #keep}.
 */
final class IncidentSnapshot implements AutoCloseable {
  /** The fold changed more meanwhile than can be kept. */
  static final class OverrunException extends RuntimeException {
    OverrunException() {
      super("too much changed while the snapshot was read");
    }
  }

  private final IndexWalk ids;
  private final Function<Key128, Optional<Tallied>> read;
  private final Semaphore room;
  private final Consumer<IncidentSnapshot> closed;
  private final Map<Key128, Optional<Tallied>> before = new HashMap<>();
  private boolean overrun;
  private boolean ended;

  /**
   * A snapshot of now; the fold's next commit is to tell it.
   *
   * @param ids of the incidents, as they are now
   * @param read an incident as it is when asked
   * @param room for what is kept, a permit each
   * @param closed told when nothing needs to be kept any more
   */
  IncidentSnapshot(
      IndexWalk ids,
      Function<Key128, Optional<Tallied>> read,
      Semaphore room,
      Consumer<IncidentSnapshot> closed) {
    this.ids = ids;
    this.read = read;
    this.room = room;
    this.closed = closed;
  }

  /** The partition's counts and position at that moment. */
  PartitionState state() {
    return ids.state();
  }

  /** Keeps what {@code changes} is about to replace, as it still is. */
  synchronized void keep(Changes changes) {
    changes.incidents().keySet().forEach(this::keep);
    changes.tallies().keySet().forEach(this::keep);
  }

  private void keep(Key128 id) {
    if (ended || overrun || before.containsKey(id)) {
      return;
    }
    overrun = !room.tryAcquire();
    if (!overrun) {
      before.put(id, read.apply(id));
    }
  }

  /**
   * The next incident; null at the end.
   *
   * @throws OverrunException if it is not known any more what was
   */
  Tallied next() {
    for (Key128 id = ids.next(); id != null; id = ids.next()) {
      Optional<Tallied> found = asItWas(id);
      if (found.isPresent()) {
        return found.get();
      }
    }
    return null;
  }

  private Optional<Tallied> asItWas(Key128 id) {
    Optional<Tallied> now = read.apply(id);
    synchronized (this) { // what is replaced was kept first, so if nothing is kept, it is the same
      if (overrun) {
        throw new OverrunException();
      }
      return before.getOrDefault(id, now);
    }
  }

  @Override
  public void close() {
    closed.accept(this);
    synchronized (this) {
      if (!ended) {
        ended = true;
        room.release(before.size());
        before.clear();
      }
    }
    ids.close();
  }
}
