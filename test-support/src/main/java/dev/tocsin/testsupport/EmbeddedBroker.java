package dev.tocsin.testsupport;

import dev.tocsin.broker.BrokerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The project's own broker, in a temporary folder. Ends with the JVM, and the folder with it. */
final class EmbeddedBroker {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedBroker.class);

  private EmbeddedBroker() {}

  /**
   * Starts it; where it is reached.
   *
   * @throws BrokerProcess.StartException if it does not come up
   */
  static String start() {
    try {
      Path folder = Files.createTempDirectory("tocsin-broker-");
      BrokerProcess broker = BrokerProcess.start(folder, 0, Optional.empty());
      Runtime.getRuntime().addShutdownHook(new Thread(() -> end(broker, folder), "broker-end"));
      return broker.bootstrap();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** By force: nobody will miss the data. */
  private static void end(BrokerProcess broker, Path folder) {
    broker.kill();
    try (Stream<Path> files = Files.walk(folder)) {
      List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.delete(file);
      }
    } catch (IOException e) {
      LOG.warn("{} is left behind", folder, e);
    }
  }
}
