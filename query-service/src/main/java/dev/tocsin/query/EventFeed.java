package dev.tocsin.query;

import dev.tocsin.runtime.Errors;
import java.util.Iterator;
import java.util.function.Consumer;

/**
 * The events of all partitions behind a stream's positions, each partition in turn: from the ring,
 * and where that has none of them any more, a chunk at a time from the topic.
 *
 * <p>One thread at a time; what the readers answer comes back to it by {@code inbox}.
 */
final class EventFeed {
  /** Of what is taken from the ring at a time, as {@link EventItem#weight}. */
  private static final int RING_WEIGHT = 1 << 20;

  private final EventRings rings;
  private final OlderEvents older;
  private final StreamMetrics metrics;
  private final Consumer<Runnable> inbox;
  private final EventPosition[] positions;

  /** Partitions whose position was ahead of the ring, and found to be in the topic. */
  private final boolean[] checked;

  private Chunk chunk;
  private boolean awaiting;
  private boolean behind;
  private int turnOf;

  /** Events of one partition that are being given. */
  private record Chunk(int partition, Iterator<EventItem> items, long next, boolean older) {}

  /**
   * A feed from these positions on, which it moves.
   *
   * @param inbox runs a step in the feed's own thread; safe from any
   */
  EventFeed(
      EventRings rings,
      OlderEvents older,
      StreamMetrics metrics,
      Consumer<Runnable> inbox,
      EventPosition[] positions) {
    this.rings = rings;
    this.older = older;
    this.metrics = metrics;
    this.inbox = inbox;
    this.positions = positions;
    this.checked = new boolean[positions.length];
  }

  /** How far each partition has been told. Whoever tells an event moves its partition's on. */
  EventPosition[] positions() {
    return positions;
  }

  /** The next event of whichever partition has one; null if none has, or it is being fetched. */
  EventItem next() {
    while (true) {
      if (chunk != null && chunk.items().hasNext()) {
        return chunk.items().next();
      }
      if (chunk != null) {
        EventPosition at = positions[chunk.partition()];
        positions[chunk.partition()] = at.past(Math.max(at.next(), chunk.next()) - 1);
        chunk = null;
      }
      if (awaiting || !load()) {
        return null;
      }
    }
  }

  /** What came from the ring stays there, so that a stream that is slow does not hold it. */
  void release() {
    if (chunk != null && !chunk.older()) {
      chunk = null;
    }
  }

  /** Holds nothing any more. */
  void close() {
    chunk = null;
  }

  /** Takes up the next chunk, each partition in turn; false if there is none now. */
  private boolean load() {
    for (int i = 0; i < positions.length; i++) {
      int partition = turnOf;
      turnOf = (turnOf + 1) % positions.length;
      EventRing ring = rings.of(partition);
      long from = positions[partition].next();
      OlderEvents.Answer.Found found = ring.read(from, RING_WEIGHT);
      boolean ahead = from > ring.end();
      if (found == null || (ahead && !checked[partition])) {
        checked[partition] = true;
        fetch(partition, from);
        return false;
      }
      if (found.next() > from) {
        chunk = new Chunk(partition, found.items().iterator(), found.next(), false);
        behind = false;
        return true;
      }
    }
    return false;
  }

  /** What is not in the ring; or what is not there yet, if it is, rather than a token's mistake. */
  private void fetch(int partition, long from) {
    if (!behind) {
      behind = true;
      metrics.fellBehind();
    }
    awaiting = true;
    older.read(partition, from, answer -> inbox.accept(() -> fetched(partition, answer)));
  }

  private void fetched(int partition, OlderEvents.Answer answer) {
    awaiting = false;
    if (answer instanceof OlderEvents.Answer.Found found) {
      chunk = new Chunk(partition, found.items().iterator(), found.next(), true);
    } else if (answer instanceof OlderEvents.Answer.Away away) {
      throw Errors.unavailable(away.why(), OwnerCalls.RETRY_AFTER);
    } else {
      throw IncidentStreams.expired("the events that follow are not kept any more");
    }
  }
}
