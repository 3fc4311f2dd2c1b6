package dev.tocsin.runtime;

import java.util.Locale;

/** Where a process logs, and in which form. To be said before anything is logged. */
public final class Logging {
  private static final String SETTING = "log4j2.configurationFile";
  private static final String VARIABLE = "LOG4J_CONFIGURATION_FILE";
  private static final String FORMAT = "logging.format";

  private Logging() {}

  /**
   * On standard error, as {@code logging.format} says: {@code text}, a line for each event, or
   * {@code json}, an object on a line with the names of the Elastic Common Schema. Nothing is said
   * of a process that was started with a configuration of its own, as Log4j takes it: the system
   * property {@value #SETTING} or the variable {@value #VARIABLE}. Faults are left to {@link
   * Settings#check}.
   */
  public static void toStandardError(Settings settings) {
    String format = settings.text(FORMAT, "text").toLowerCase(Locale.ROOT);
    if (!format.equals("text") && !format.equals("json")) {
      settings.fault(FORMAT, "must be text or json, not '" + format + "'");
    }
    if (System.getProperty(SETTING) == null && System.getenv(VARIABLE) == null) {
      String file = format.equals("json") ? "log4j2-json.xml" : "log4j2.xml";
      System.setProperty(SETTING, "classpath:dev/tocsin/runtime/" + file);
    }
  }
}
