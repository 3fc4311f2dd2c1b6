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

  /** Was asked for by another entry since it came, or since {@link RecordCache} came by. */
  boolean asked;

  /** As {@link RecordCache} counts it; 0 until it is stored for the first time. */
  long bytes;

  /** Is one of those that stay, as {@link RecordCache} has it. */
  boolean stays;

  /** The entry that brought it, as {@link RecordCache} counts them. */
  final int came;

  private final Table<?> table;

  CachedRecord(Table<?> table, Key128 key, V value, int came) {
    this.table = table;
    this.key = key;
    this.value = value;
    this.came = came;
  }

  /** Of one in a queue: whether it is removed. */
  boolean isGone() {
    return bytes == 0;
  }

  /** Of its table and its key. */
  int hash() {
    return table.hash(key);
  }

  /** Takes it from its table. */
  void leave() {
    table.forget(key);
  }
}
