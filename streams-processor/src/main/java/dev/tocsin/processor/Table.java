package dev.tocsin.processor;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Key128;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;

/**
 * One kind of record, written back: what changed since the last commit stays here as objects and is
 * encoded and stored once, just before the next commit, however often it changed. What was read
 * lately stays here too.
 *
 * <p>The fold's thread reads with {@link #get}, changes and flushes. Any thread may {@link #peek},
 * and sees each record as it was before or after a change.
 */
final class Table<V extends SpecificRecordBase> {
  private final byte letter;
  private final Codec<V> codec;
  private final KeyValueStore<Bytes, byte[]> store;
  private final Map<Key128, Optional<V>> dirty = new ConcurrentHashMap<>();
  private final Cache<Key128, V> clean;

  Table(byte letter, Codec<V> codec, KeyValueStore<Bytes, byte[]> store, int cleanMax) {
    this.letter = letter;
    this.codec = codec;
    this.store = store;
    this.clean = Caffeine.newBuilder().maximumSize(cleanMax).executor(Runnable::run).build();
  }

  /** The record, kept for the next time; null if there is none. The fold's thread only. */
  V get(Key128 key) {
    Optional<V> changed = dirty.get(key);
    if (changed != null) {
      return changed.orElse(null);
    }
    V value = clean.getIfPresent(key);
    if (value == null) {
      value = stored(store, key);
      if (value != null) {
        clean.put(key, value);
      }
    }
    return value;
  }

  /**
   * The record as any thread may read it. It is not kept: the fold could have changed it meanwhile.
   */
  V peek(Key128 key) {
    Optional<V> changed = dirty.get(key);
    if (changed != null) {
      return changed.orElse(null);
    }
    V value = clean.getIfPresent(key);
    return value != null ? value : stored(store, key);
  }

  /** Changes the record; null removes it. */
  void put(Key128 key, V value) {
    dirty.put(key, Optional.ofNullable(value));
  }

  /** How many records are changed and not stored. */
  int dirty() {
    return dirty.size();
  }

  /** What is changed and not stored, copied. */
  Map<Key128, Optional<V>> changes() {
    return Map.copyOf(dirty);
  }

  V decode(byte[] bytes) {
    return codec.decode(bytes);
  }

  /**
   * Stores what changed. A record can be peeked throughout: it is stored before it stops being
   * dirty.
   */
  void flush() {
    dirty.forEach(
        (key, value) -> {
          store.put(StateKeys.of(letter, key), value.map(codec::encode).orElse(null));
          if (value.isPresent()) {
            clean.put(key, value.get());
          } else {
            clean.invalidate(key);
          }
        });
    dirty.clear();
  }

  private V stored(ReadOnlyKeyValueStore<Bytes, byte[]> from, Key128 key) {
    byte[] bytes = from.get(StateKeys.of(letter, key));
    return bytes == null ? null : codec.decode(bytes);
  }
}
