package dev.tocsin.processor;

import dev.tocsin.engine.ReceiptMemory;
import java.nio.file.Path;

/**
 * The memory that the stores of an instance share, RocksDB's aside.
 *
 * @param cache for records as they are stored
 * @param receipts where those are
 */
record StoreMemory(CacheBudget cache, ReceiptMemory receipts) {
  static StoreMemory of(ProcessorConfig config) {
    Path folder = config.stateFolder().resolve(config.topics().applicationId() + ".receipts");
    return new StoreMemory(new CacheBudget(config.cacheBytesMax()), new MappedMemory(folder));
  }
}
