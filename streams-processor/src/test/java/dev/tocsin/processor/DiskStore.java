package dev.tocsin.processor;

import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Topics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** The topology without a broker, for its store: a real RocksDB in a temporary folder. */
final class DiskStore implements AutoCloseable {
  static final Topics TOPICS = new Topics("unit", "g1");

  private final Path folder = temporary();
  private final RocksMemory memory = new RocksMemory(16 << 20);
  final TopologyTestDriver driver;

  /** With a fold that does nothing. */
  DiskStore() {
    this(Idle::new);
  }

  DiskStore(ProcessorSupplier<byte[], byte[], byte[], byte[]> fold) {
    Properties settings = new Properties();
    settings.putAll(StreamsSettings.of(config(folder, Map.of()), 1, memory));
    driver = new TopologyTestDriver(FoldTopology.build(TOPICS, fold), settings);
  }

  KeyValueStore<Bytes, byte[]> bytes() {
    return driver.getKeyValueStore(FoldTopology.STATE_STORE);
  }

  static ProcessorConfig config(Path folder, Map<String, String> more) {
    Map<String, String> settings = new HashMap<>();
    settings.put("kafka.bootstrap.servers", "localhost:1");
    settings.put("log.prefix", TOPICS.prefix());
    settings.put("processor.state-folder", folder.toString());
    settings.putAll(more);
    return ProcessorConfig.read(Settings.of(settings));
  }

  @Override
  public void close() {
    driver.close();
    memory.close();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path temporary() {
    try {
      return Files.createTempDirectory("tocsin-store-" + UUID.randomUUID());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static final class Idle implements Processor<byte[], byte[], byte[], byte[]> {
    @Override
    public void process(Record<byte[], byte[]> entry) {}
  }
}
