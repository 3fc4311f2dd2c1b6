package dev.tocsin.ingest;

import dev.tocsin.runtime.Logging;
import dev.tocsin.runtime.Settings;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * {@code EdgeMain [FILE]}: the edge as a process, configured by a properties file and the
 * environment.
 */
public final class EdgeMain {
  private EdgeMain() {}

  /**
   * Runs until the process is told to end. Ends with {@link Settings#EXIT_CONFIG} and a line for
   * each fault if the configuration cannot be used, and with 1 if an address cannot be had.
   */
  public static void main(String[] args) {
    int status = run(args, System.out, System.err);
    if (status != 0) {
      System.exit(status);
    }
  }

  private static int run(String[] args, PrintStream out, PrintStream err) {
    EdgeApp app;
    try {
      Optional<Path> file = Arrays.stream(args).findFirst().map(Path::of);
      Settings settings = Settings.load(file, System.getenv());
      Logging.toStandardError(settings);
      app = new EdgeApp(EdgeApp.Config.read(settings));
    } catch (Settings.SettingsException e) {
      err.println(e.getMessage());
      return Settings.EXIT_CONFIG;
    }
    Logging.closeAtEnd(app::close);
    try {
      app.start();
    } catch (IOException e) {
      err.println("cannot listen: " + e.getMessage());
      return 1;
    }
    out.printf(
        "tocsin edge %s: gRPC on port %d, metrics and health on port %d%n",
        Edge.version(), app.port(), app.opsPort());
    return 0;
  }
}
