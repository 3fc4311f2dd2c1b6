package dev.tocsin.processor;

import dev.tocsin.schemas.Key128;

/**
 * A record in memory. Its marks are the fold's thread's; any thread may read its value.
 *
 * @param <V> what it is
 */
final class CachedRecord<V> {
  final Key128 key;

  /** Null where it is removed, and that is not stored yet. */
  volatile V value;

  /** Differs from what is stored. */
  boolean changed;

  /**
   * Was asked for again since {@link RecordCache} came by. What is read for the first time was not:
   * else a load that asks for everything once would drive out what is asked for often.
   */
  boolean asked;

  /** As {@link RecordCache} counts it; 0 until it is stored for the first time. */
  long bytes;

  private final Table<?> table;

  CachedRecord(Table<?> table, Key128 key, V value) {
    this.table = table;
    this.key = key;
    this.value = value;
  }

  /** Takes it from its table. */
  void leave() {
    table.forget(key);
  }
}
