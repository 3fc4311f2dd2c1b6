package dev.tocsin.runtime;

/** Where a process logs. To be said before anything is logged. */
public final class Logging {
  private static final String SETTING = "log4j2.configurationFile";
  private static final String VARIABLE = "LOG4J_CONFIGURATION_FILE";

  private Logging() {}

  /**
   * On standard error, unless the process was started with a configuration of its own, as Log4j
   * takes it: the system property {@value #SETTING} or the variable {@value #VARIABLE}.
   */
  public static void toStandardError() {
    if (System.getProperty(SETTING) == null && System.getenv(VARIABLE) == null) {
      System.setProperty(SETTING, "classpath:dev/tocsin/runtime/log4j2.xml");
    }
  }
}
