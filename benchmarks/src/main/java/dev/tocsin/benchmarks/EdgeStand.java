package dev.tocsin.benchmarks;

import dev.tocsin.broker.BrokerProcess;
import dev.tocsin.processor.LogTopics;
import dev.tocsin.schemas.Topics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What edges are measured on: a broker, and an edge of each kind that is asked for, each a process
 * of its own and started when it is first needed, in a folder that goes afterwards. Thread-safe, so
 * that it can be closed while it is used.
 */
final class EdgeStand implements AutoCloseable {
  static final int PARTITIONS = 4;

  private final Path folder;
  private final Topics topics = Topics.DEFAULT;
  private final Map<EdgeKind, EdgeProcess> shared = new EnumMap<>(EdgeKind.class);
  private final List<AutoCloseable> started = new ArrayList<>();
  private BrokerProcess broker;
  private boolean closed;

  EdgeStand() throws IOException {
    this.folder = Files.createTempDirectory("tocsin-bench");
  }

  /** A new folder in that of the stand. */
  synchronized Path newFolder(String name) throws IOException {
    if (closed) {
      throw new IOException("the bench is ending");
    }
    return Files.createTempDirectory(folder, name);
  }

  Map<String, String> kafka() throws IOException {
    return Map.of("bootstrap.servers", bootstrap());
  }

  synchronized String bootstrap() throws IOException {
    if (broker == null) {
      broker = BrokerProcess.start(newFolder("kafka"), 0, Optional.empty());
      started.add(broker);
      LogTopics.create(Map.of("bootstrap.servers", broker.bootstrap()), topics, PARTITIONS, 1);
    }
    return broker.bootstrap();
  }

  /** The edge of this kind that the rows share. */
  synchronized EdgeTarget edge(EdgeKind kind) throws IOException {
    EdgeProcess edge = shared.get(kind);
    if (edge == null) {
      edge = newEdge(kind);
      shared.put(kind, edge);
    }
    return edge.target();
  }

  /** An edge that has done nothing yet. Ends with the stand, if nobody closes it before. */
  EdgeProcess newEdge(EdgeKind kind) throws IOException {
    return newEdge(kind, topics);
  }

  /** The same on a log of its own. */
  synchronized EdgeProcess newEdge(EdgeKind kind, Topics log) throws IOException {
    List<String> settings =
        List.of("kafka.bootstrap.servers=" + bootstrap(), "log.prefix=" + log.prefix());
    EdgeProcess edge = EdgeProcess.start(newFolder("edge"), kind, settings);
    started.add(edge);
    return edge;
  }

  /** A process that ends with the stand, if it has not before. */
  synchronized Process start(ProcessBuilder command) throws IOException {
    if (closed) {
      throw new IOException("the bench is ending");
    }
    Process process = command.start();
    started.add(() -> ChildProcess.stop(process));
    return process;
  }

  /**
   * Has what was written so far on the disk. The kernel writes back what is half a minute old, and
   * the broker's appends wait meanwhile: what one row wrote would stand in the next one's latency.
   */
  static void writeBack() throws IOException {
    ChildProcess.run(List.of("sync"));
  }

  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    for (int i = started.size() - 1; i >= 0; i--) {
      try {
        started.get(i).close();
      } catch (Exception e) {
        throw new IOException(e);
      }
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    }
  }
}
