package dev.tocsin.processor;

import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.PartitionState;
import java.util.Arrays;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueIterator;

/**
 * The ids of a workspace's incidents, newest first: the open ones and the others, merged. One
 * thread.
 */
final class IndexWalk implements AutoCloseable {
  private final KeyValueIterator<Bytes, byte[]> open;
  private final KeyValueIterator<Bytes, byte[]> notOpen;
  private final PartitionState state;
  private Key128 nextOpen;
  private Key128 nextNotOpen;

  /** Either iterator may be null: then those incidents are left out. */
  IndexWalk(
      KeyValueIterator<Bytes, byte[]> open,
      KeyValueIterator<Bytes, byte[]> notOpen,
      PartitionState state) {
    this.open = open;
    this.notOpen = notOpen;
    this.state = state;
    this.nextOpen = advance(open);
    this.nextNotOpen = advance(notOpen);
  }

  /** The partition's counts and position when the walk began. */
  PartitionState state() {
    return state;
  }

  /** The next id; null at the end. */
  Key128 next() {
    boolean takeOpen = nextNotOpen == null || (nextOpen != null && newer(nextOpen, nextNotOpen));
    Key128 next = takeOpen ? nextOpen : nextNotOpen;
    if (takeOpen) {
      nextOpen = advance(open);
    } else {
      nextNotOpen = advance(notOpen);
    }
    return next;
  }

  @Override
  public void close() {
    if (open != null) {
      open.close();
    }
    if (notOpen != null) {
      notOpen.close();
    }
  }

  private static boolean newer(Key128 a, Key128 b) {
    return Arrays.compareUnsigned(a.bytes(), b.bytes()) > 0;
  }

  private static Key128 advance(KeyValueIterator<Bytes, byte[]> ids) {
    return ids != null && ids.hasNext() ? StateKeys.indexed(ids.next().key) : null;
  }
}
