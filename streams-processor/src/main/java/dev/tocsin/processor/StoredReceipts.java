package dev.tocsin.processor;

import dev.tocsin.engine.Receipt;
import dev.tocsin.engine.ReceiptMemory;
import dev.tocsin.engine.Receipts;
import dev.tocsin.schemas.Rules;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * A partition's receipts in memory, and in the store the chunks that they are made of again. A
 * chunk is two records: the keys, as they always were, and the positions, which software from
 * before passes over and does not delete. The fold's thread only.
 */
final class StoredReceipts {
  private final Receipts receipts;

  /** Positions whose keys software from before has deleted. */
  private final List<Bytes> orphans = new ArrayList<>();

  private long unstored;

  /** All that are stored. */
  StoredReceipts(KeyValueStore<Bytes, byte[]> store, ReceiptMemory memory) {
    receipts = new Receipts(memory);
    load(store);
  }

  Receipts all() {
    return receipts;
  }

  void add(Receipt receipt, long atMs, Rules rules) {
    receipts.add(receipt, atMs, rules);
    unstored++;
  }

  /** How many wait in memory for the next flush. */
  long unstored() {
    return unstored;
  }

  /** Adds what is not stored, and what is to be deleted since it is too old, to a batch. */
  void flushInto(List<KeyValue<Bytes, byte[]>> batch, long atMs, Rules rules) {
    orphans.forEach(key -> batch.add(KeyValue.pair(key, null))); // a new chunk may take their place
    orphans.clear();
    receipts.expire(atMs, rules);
    receipts.flush(new ChunksInto(batch));
    unstored = 0;
  }

  private record ChunksInto(List<KeyValue<Bytes, byte[]>> batch) implements Receipts.Chunks {
    @Override
    public void put(long bucket, int chunk, byte[] keys, byte[] positions) {
      batch.add(KeyValue.pair(StateKeys.receipts(bucket, chunk), keys));
      batch.add(KeyValue.pair(StateKeys.receiptPositions(bucket, chunk), positions));
    }

    @Override
    public void delete(long bucket, int chunk) {
      batch.add(KeyValue.pair(StateKeys.receipts(bucket, chunk), null));
      batch.add(KeyValue.pair(StateKeys.receiptPositions(bucket, chunk), null));
    }
  }

  private void load(KeyValueStore<Bytes, byte[]> store) {
    try (var chunks =
            store.range(StateKeys.first(StateKeys.RECEIPTS), StateKeys.end(StateKeys.RECEIPTS));
        var positions =
            store.range(
                StateKeys.first(StateKeys.RECEIPT_POSITIONS),
                StateKeys.end(StateKeys.RECEIPT_POSITIONS))) {
      KeyValue<Bytes, byte[]> position = next(positions, StateKeys.RECEIPT_POSITIONS);
      for (KeyValue<Bytes, byte[]> chunk = next(chunks, StateKeys.RECEIPTS);
          chunk != null;
          chunk = next(chunks, StateKeys.RECEIPTS)) {
        long bucket = StateKeys.bucket(chunk.key);
        int number = StateKeys.chunk(chunk.key);
        Bytes wanted = StateKeys.receiptPositions(bucket, number);
        while (position != null && position.key.compareTo(wanted) < 0) {
          orphans.add(position.key);
          position = next(positions, StateKeys.RECEIPT_POSITIONS);
        }
        boolean found = position != null && position.key.equals(wanted);
        receipts.load(bucket, number, chunk.value, found ? position.value : null);
        if (found) {
          position = next(positions, StateKeys.RECEIPT_POSITIONS);
        }
      }
      for (; position != null; position = next(positions, StateKeys.RECEIPT_POSITIONS)) {
        orphans.add(position.key);
      }
    }
  }

  /** The next one of this table; null if there is none. */
  private static KeyValue<Bytes, byte[]> next(KeyValueIterator<Bytes, byte[]> from, byte table) {
    while (from.hasNext()) {
      KeyValue<Bytes, byte[]> next = from.next();
      if (next.key.get()[0] == table) {
        return next;
      }
    }
    return null;
  }
}
