package dev.tocsin.broker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What lies where in a broker's data folder.
 *
 * @param root absolute
 */
record BrokerFolder(Path root) {
  /** The folder at {@code root}, made if it is not there. */
  static BrokerFolder open(Path root) throws IOException {
    return new BrokerFolder(Files.createDirectories(root.toAbsolutePath().normalize()));
  }

  /** Held locked by the one broker that uses the folder. */
  Path lock() {
    return root.resolve("lock");
  }

  Path properties() {
    return root.resolve("server.properties");
  }

  /** Kafka's own: topics and the metadata log. */
  Path logs() {
    return root.resolve("log");
  }

  /** Exists once {@link #logs} is formatted: written last, and whole. */
  Path metaProperties() {
    return logs().resolve("meta.properties");
  }

  /** Where the child writes what it has to say, unless told another place. */
  Path logFile() {
    return root.resolve("broker.log");
  }
}
