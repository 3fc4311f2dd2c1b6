package dev.tocsin.processor;

import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Key128;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * One kind of record, written back: what changed since the last commit stays here as objects and is
 * encoded and stored once, just before the next commit, however often it changed. What was asked
 * for lately stays here too, as long as {@link RecordCache} has room.
 *
 * <p>The fold's thread reads with {@link #get}, changes and flushes. Any thread may {@link #peek},
 * and sees each record as it was before or after a change.
 */
final class Table<V extends SpecificRecordBase> {
  /** Of 2^64, as an odd number. */
  private static final long GOLDEN_RATIO = 0x9E3779B97F4A7C15L;

  private final byte letter;
  private final Codec<V> codec;
  private final KeyValueStore<Bytes, byte[]> store;
  private final RecordCache cache;
  private final Map<Key128, CachedRecord<V>> records = new ConcurrentHashMap<>();
  private final List<CachedRecord<V>> changed = new ArrayList<>();

  Table(byte letter, Codec<V> codec, KeyValueStore<Bytes, byte[]> store, RecordCache cache) {
    this.letter = letter;
    this.codec = codec;
    this.store = store;
    this.cache = cache;
  }

  /** The record, kept for the next time; null if there is none. The fold's thread only. */
  V get(Key128 key) {
    CachedRecord<V> record = records.get(key);
    if (record != null) {
      record.asked |= record.came != cache.entry();
      return record.value;
    }
    byte[] bytes = stored(key);
    if (bytes == null) {
      return null;
    }
    record = new CachedRecord<>(this, key, codec.decode(bytes), cache.entry());
    records.put(key, record);
    cache.stored(record, bytes.length);
    cache.trimForOne();
    return record.value;
  }

  /**
   * The record as any thread may read it. It is not kept: the fold could have changed it meanwhile.
   */
  V peek(Key128 key) {
    CachedRecord<V> record = records.get(key);
    if (record != null) {
      return record.value;
    }
    byte[] bytes = stored(key);
    return bytes == null ? null : codec.decode(bytes);
  }

  /** Changes the record; null removes it. */
  void put(Key128 key, V value) {
    CachedRecord<V> record = records.get(key);
    if (record == null) {
      record = new CachedRecord<>(this, key, value, cache.entry());
      records.put(key, record);
    } else {
      record.value = value;
    }
    if (!record.changed) {
      record.changed = true;
      changed.add(record);
    }
  }

  /** How many records are changed and not stored. */
  int dirty() {
    return changed.size();
  }

  /** What is changed and not stored, copied; empty where it is removed. */
  Map<Key128, Optional<V>> changes() {
    Map<Key128, Optional<V>> copied = new HashMap<>();
    changed.forEach(record -> copied.put(record.key, Optional.ofNullable(record.value)));
    return copied;
  }

  V decode(byte[] bytes) {
    return codec.decode(bytes);
  }

  /** Adds what changed to what is to be stored. */
  void encodeInto(List<KeyValue<Bytes, byte[]>> batch) {
    for (CachedRecord<V> record : changed) {
      V value = record.value;
      batch.add(
          KeyValue.pair(
              StateKeys.of(letter, record.key), value == null ? null : codec.encode(value)));
    }
  }

  /**
   * What {@link #encodeInto} gave is stored. A record can be peeked throughout: it is stored before
   * it may leave.
   *
   * @param batch of which this table's part begins at {@code at}
   * @return where it ends
   */
  int stored(List<KeyValue<Bytes, byte[]>> batch, int at) {
    int next = at;
    for (CachedRecord<V> record : changed) {
      byte[] bytes = batch.get(next++).value;
      record.changed = false;
      if (bytes == null) {
        cache.removed(record);
      } else {
        cache.stored(record, bytes.length);
      }
    }
    changed.clear();
    return next;
  }

  /** A key's, by Fibonacci hashing; the same key in another table has another. */
  int hash(Key128 key) {
    ByteBuffer bytes = ByteBuffer.wrap(key.bytes());
    long all = 31 * bytes.getLong() + bytes.getLong() + letter;
    return (int) ((all * GOLDEN_RATIO) >>> Integer.SIZE);
  }

  /** The cache lets go of a record that is as it is stored. */
  void forget(Key128 key) {
    records.remove(key);
  }

  private byte[] stored(Key128 key) {
    return store.get(StateKeys.of(letter, key));
  }
}
