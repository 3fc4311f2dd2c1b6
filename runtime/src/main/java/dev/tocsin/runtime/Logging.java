package dev.tocsin.runtime;

import java.time.Duration;
import java.util.Locale;
import org.apache.logging.log4j.LogManager;

/** Where a process logs, and in which form. To be said before anything is logged. */
public final class Logging {
  private static final String SETTING = "log4j2.configurationFile";
  private static final String VARIABLE = "LOG4J_CONFIGURATION_FILE";
  private static final Duration WRITTEN_MAX = Duration.ofSeconds(2);
  private static final String FORMAT = "logging.format";

  private Logging() {}

  /**
   * On standard error, as {@code logging.format} says: {@code text}, a line for each event, or
   * {@code json}, an object on a line with the names of the Elastic Common Schema. Nobody waits for
   * it to be written: 4,096 events stand in line, those of the access log in one of their own, and
   * what comes while its line is full is lost. Nothing is said of a process that was started with a
   * configuration of its own, as Log4j takes it: the system property {@value #SETTING} or the
   * variable {@value #VARIABLE}. Faults are left to {@link Settings#check}.
   */
  public static void toStandardError(Settings settings) {
    String format = settings.text(FORMAT, "text").toLowerCase(Locale.ROOT);
    if (!format.equals("text") && !format.equals("json")) {
      settings.fault(FORMAT, "must be text or json, not '" + format + "'");
    }
    if (System.getProperty(SETTING) == null && System.getenv(VARIABLE) == null) {
      String file = format.equals("json") ? "log4j2-json.xml" : "log4j2.xml";
      System.setProperty(SETTING, "classpath:dev/tocsin/runtime/" + file);
      // Where the line is full, whatever its level. Log4j would have the caller wait.
      System.setProperty("log4j2.asyncQueueFullPolicy", "Discard");
      System.setProperty("log4j2.discardThreshold", "FATAL");
    }
  }

  /**
   * Has {@code close} run when the process is told to end, and then what stands in line written, if
   * somebody reads it within two seconds.
   */
  public static void closeAtEnd(Runnable close) {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    close.run();
                  } finally {
                    write();
                  }
                },
                "shutdown"));
  }

  // By a thread of its own: Log4j waits for a line under way without any bound.
  private static void write() {
    Thread last = new Thread(LogManager::shutdown, "log-end");
    last.setDaemon(true);
    last.start();
    try {
      last.join(WRITTEN_MAX.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the process ends now
    }
  }
}
