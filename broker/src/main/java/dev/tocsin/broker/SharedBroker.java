package dev.tocsin.broker;

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

/**
 * One broker for all tests of a JVM: started when first asked for, in a temporary folder, and ended
 * with the JVM. Tests keep apart from one another by the prefix of their topics.
 *
 * <p>The system property {@code kafka} says which kind: {@code embedded}, the default, is the
 * project's own.
 */
public final class SharedBroker {
  private static final Logger LOG = LoggerFactory.getLogger(SharedBroker.class);

  private SharedBroker() {}

  private static final class Holder {
    static final String BOOTSTRAP = start(System.getProperty("kafka", "embedded"));
  }

  /**
   * Where it is reached: {@code HOST:PORT}.
   *
   * @throws BrokerProcess.StartException if it does not come up
   */
  public static String bootstrap() {
    return Holder.BOOTSTRAP;
  }

  static String start(String kind) {
    return switch (kind) {
      case "embedded" -> startEmbedded();
      default -> throw new IllegalArgumentException("-Dkafka must be embedded, not '" + kind + "'");
    };
  }

  private static String startEmbedded() {
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
