package dev.tocsin.processor;

import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.PartitionState;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueIterator;

/**
 * The ids of a workspace's incidents, newest first: those of several ranges of the index, merged,
 * each told once. One thread.
 */
final class IndexWalk implements AutoCloseable {
  private final List<KeyValueIterator<Bytes, byte[]>> ranges;
  private final PartitionState state;
  private final Key128[] heads;
  private Key128 told;

  IndexWalk(List<KeyValueIterator<Bytes, byte[]>> ranges, PartitionState state) {
    this.ranges = List.copyOf(ranges);
    this.state = state;
    this.heads = ranges.stream().map(IndexWalk::advance).toArray(Key128[]::new);
  }

  /** The partition's counts and position when the walk began. */
  PartitionState state() {
    return state;
  }

  /** The next id; null at the end. */
  Key128 next() {
    Key128 next;
    do {
      int newest = newest();
      if (newest < 0) {
        return null;
      }
      next = heads[newest];
      heads[newest] = advance(ranges.get(newest));
    } while (next.equals(told));
    told = next;
    return next;
  }

  @Override
  public void close() {
    ranges.forEach(KeyValueIterator::close);
  }

  private int newest() {
    int newest = -1;
    for (int i = 0; i < heads.length; i++) {
      if (heads[i] != null && (newest < 0 || newer(heads[i], heads[newest]))) {
        newest = i;
      }
    }
    return newest;
  }

  private static boolean newer(Key128 a, Key128 b) {
    return Arrays.compareUnsigned(a.bytes(), b.bytes()) > 0;
  }

  private static Key128 advance(KeyValueIterator<Bytes, byte[]> ids) {
    return ids.hasNext() ? StateKeys.indexed(ids.next().key) : null;
  }
}
