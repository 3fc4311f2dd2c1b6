package dev.tocsin.processor;

import dev.tocsin.runtime.Logging;
import dev.tocsin.runtime.Settings;
import java.nio.file.Path;
import java.util.Optional;

/**
 * {@code ProcessorMain [FILE]}: runs a processor with the settings of a file and of the
 * environment.
 */
public final class ProcessorMain {
  private static final long FAILURE_POLL_MS = 500;

  private ProcessorMain() {}

  /**
   * Runs until it is told to end. Exit status 78: the configuration cannot be used; 1: it failed.
   */
  public static void main(String[] args) throws Exception {
    ProcessorApp app;
    try {
      Settings settings =
          Settings.load(
              Optional.ofNullable(args.length > 0 ? Path.of(args[0]) : null), System.getenv());
      Logging.toStandardError(settings);
      app = new ProcessorApp(settings);
    } catch (Settings.SettingsException e) {
      System.err.println(e.getMessage());
      System.exit(Settings.EXIT_CONFIG);
      return;
    }
    Logging.closeAtEnd(app::close);
    if (!app.start()) {
      return; // it was told to end first
    }
    System.err.printf(
        "processor: state server on port %d, metrics on port %d%n", app.port(), app.opsPort());
    while (!app.failed()) {
      Thread.sleep(FAILURE_POLL_MS);
    }
    System.exit(1);
  }
}
