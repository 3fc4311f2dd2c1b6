package dev.tocsin.query;

import dev.tocsin.runtime.Logging;
import dev.tocsin.runtime.Settings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/**
 * Runs the query service until it is told to stop. Its one argument, which may be left out, is the
 * configuration file.
 */
public final class QueryMain {
  private static final int EXIT_FAILED = 1;

  private QueryMain() {}

  /** Exits with 78, and a line for each fault, if the configuration cannot be used. */
  public static void main(String[] args) throws InterruptedException {
    QueryApp.Config config;
    try {
      config = configuration(args, System.getenv());
    } catch (Settings.SettingsException e) {
      System.err.println(e.getMessage());
      System.exit(Settings.EXIT_CONFIG);
      return;
    }
    QueryApp app = new QueryApp(config);
    Logging.closeAtEnd(app::close);
    try {
      app.start();
    } catch (IOException | UncheckedIOException e) {
      System.err.println("cannot start: " + e.getMessage());
      System.exit(EXIT_FAILED);
    }
    System.out.println("query-service serves on port " + app.port());
    new CountDownLatch(1).await();
  }

  static QueryApp.Config configuration(String[] args, Map<String, String> environment) {
    Optional<Path> file = args.length == 0 ? Optional.empty() : Optional.of(Path.of(args[0]));
    Settings settings = Settings.load(file, environment);
    Logging.toStandardError(settings);
    QueryApp.Config config = QueryApp.Config.read(settings);
    settings.check();
    return config;
  }
}
