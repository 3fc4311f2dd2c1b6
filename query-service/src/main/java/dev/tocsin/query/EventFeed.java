package dev.tocsin.query;

import dev.tocsin.runtime.Errors;
import java.util.Iterator;
import java.util.function.Consumer;

/**
 * The events of all partitions behind a stream's positions, each partition in turn: from the ring,
 * and where that has none of them any more, a chunk at a time from the topic. While one partition's
 * is fetched the others go on.
 *
 * <p>One thread at a time; what the readers answer comes back to it by {@code inbox}.
 */
final class EventFeed {
  /** Of what is taken from the ring at a time, as {@link EventItem#weight}. */
  private static final int RING_WEIGHT = 1 << 20;

  private static final int NO_PARTITION = -1;

  private final EventRings rings;
  private final OlderEvents older;
  private final StreamMetrics metrics;
  private final Consumer<Runnable> inbox;
  private final EventPosition[] positions;

  /** Partitions whose position was ahead of the ring, and found to be in the topic. */
  private final boolean[] checked;

  /** Partitions that the ring has left behind. */
  private final boolean[] behind;

  private Chunk chunk;

  /** What came from the topic, until its turn comes. */
  private Chunk fetched;

  /** The partition of which something is fetched, one at a time; {@link #NO_PARTITION} for none. */
  private int fetching = NO_PARTITION;

  private int turnOf;

  /** Events of one partition that are being given. */
  private record Chunk(int partition, Iterator<EventItem> items, long next) {}

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
    this.behind = new boolean[positions.length];
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
      if (!load()) {
        return null;
      }
    }
  }

  /** Holds no events, so that a stream that is slow costs nothing: they are read again. */
  void release() {
    chunk = null;
    fetched = null;
  }

  /** Takes up the next chunk, each partition in turn; false if there is none now. */
  private boolean load() {
    chunk = fetched;
    fetched = null;
    for (int i = 0; chunk == null && i < positions.length; i++) {
      int partition = turnOf;
      turnOf = (turnOf + 1) % positions.length;
      if (partition != fetching) {
        chunk = ofRing(partition);
      }
    }
    return chunk != null;
  }

  /** What the ring has of a partition; null if it has nothing now, or what follows is fetched. */
  private Chunk ofRing(int partition) {
    EventPosition at = positions[partition];
    if (at.next() == EventPosition.NONE) {
      fetch(partition, answer -> older.find(partition, at, answer));
      return null;
    }
    EventRing ring = rings.of(partition);
    OlderEvents.Answer.Found found = ring.read(at.next(), RING_WEIGHT);
    // What is not there yet may be a tail that is late, or a token's mistake.
    boolean doubtful = at.next() > ring.end() && !checked[partition];
    if (found == null || doubtful) {
      fetch(partition, answer -> older.read(partition, at.next(), answer));
      return null;
    }
    if (found.next() == at.next()) {
      return null;
    }
    behind[partition] = false;
    return new Chunk(partition, found.items().iterator(), found.next());
  }

  private void fetch(int partition, Consumer<Consumer<OlderEvents.Answer>> question) {
    if (fetching != NO_PARTITION) {
      return; // its turn comes
    }
    if (!behind[partition]) {
      behind[partition] = true;
      metrics.fellBehind();
    }
    checked[partition] = true;
    fetching = partition;
    question.accept(answer -> inbox.accept(() -> fetched(partition, answer)));
  }

  private void fetched(int partition, OlderEvents.Answer answer) {
    fetching = NO_PARTITION;
    if (answer instanceof OlderEvents.Answer.Found found) {
      fetched = new Chunk(partition, found.items().iterator(), found.next());
    } else if (answer instanceof OlderEvents.Answer.At found) {
      positions[partition] = found.position();
    } else if (answer instanceof OlderEvents.Answer.Away away) {
      throw Errors.unavailable(away.why(), OwnerCalls.RETRY_AFTER);
    } else {
      throw IncidentStreams.expired("the events that follow are not kept any more");
    }
  }
}
