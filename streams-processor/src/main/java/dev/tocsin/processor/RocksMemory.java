package dev.tocsin.processor;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.CompressionType;
import org.rocksdb.DataBlockIndexType;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.WriteBufferManager;

/**
 * One bound on the memory of all RocksDB instances of a processor: their blocks, indexes, filters
 * and write buffers share one cache. It reaches the stores through Streams' configuration, under
 * {@link #KEY}.
 */
final class RocksMemory implements AutoCloseable {
  static final String KEY = "tocsin.rocks-memory";

  private static final long WRITE_BUFFER_BYTES = 8 << 20;
  private static final int BLOCK_BYTES = 8 << 10;
  private static final double BLOOM_BITS = 10;

  /** Of a write buffer: most keys that are looked for are in none of them. */
  private static final double MEMTABLE_BLOOM = 0.02;

  private static final double HASH_SLOTS_TAKEN = 0.75;

  private final Cache cache;
  private final WriteBufferManager writeBuffers;

  RocksMemory(long bytesMax) {
    RocksDB.loadLibrary();
    cache = new LRUCache(bytesMax);
    writeBuffers = new WriteBufferManager(bytesMax / 2, cache);
  }

  @Override
  public void close() {
    writeBuffers.close();
    cache.close();
  }

  /** Configures one store. Made by Streams, by reflection. */
  public static final class Setter implements RocksDBConfigSetter {
    private BloomFilter filter;

    @Override
    public void setConfig(String storeName, Options options, Map<String, Object> configs) {
      RocksMemory memory = (RocksMemory) configs.get(KEY);
      filter = new BloomFilter(BLOOM_BITS);
      BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
      table.setBlockCache(memory.cache);
      table.setBlockSize(BLOCK_BYTES);
      table.setCacheIndexAndFilterBlocks(true);
      table.setPinL0FilterAndIndexBlocksInCache(true);
      table.setFilterPolicy(filter);
      table.setDataBlockIndexType(DataBlockIndexType.kDataBlockBinaryAndHash);
      table.setDataBlockHashTableUtilRatio(HASH_SLOTS_TAKEN);
      options.setTableFormatConfig(table);
      options.setWriteBufferManager(memory.writeBuffers);
      options.setWriteBufferSize(WRITE_BUFFER_BYTES);
      options.setMaxWriteBufferNumber(3);
      options.setMemtablePrefixBloomSizeRatio(MEMTABLE_BLOOM);
      options.setMemtableWholeKeyFiltering(true);
      options.setCompressionType(CompressionType.LZ4_COMPRESSION);
    }

    @Override
    public void close(String storeName, Options options) {
      filter.close();
    }
  }
}
