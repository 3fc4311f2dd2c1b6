package dev.tocsin.broker;

import java.nio.file.Path;
import java.util.List;

/** The command line of the child: this JVM's own java and classpath, a heap that is bounded. */
final class BrokerCommand {
  private BrokerCommand() {}

  static List<String> of(BrokerFolder folder, int port, Path logFile) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xms128m",
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-Xshare:auto",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:ErrorFile=" + folder.root().resolve("hs_err_pid%p.log"),
        "-Djava.awt.headless=true",
        "-Dlog4j2.configurationFile=classpath:dev/tocsin/broker/broker-log4j2.xml",
        "-Dtocsin.broker.log=" + logFile,
        "-cp",
        classpath(),
        BrokerMain.class.getName(),
        folder.root().toString(),
        Integer.toString(port));
  }

  /** Surefire hides the classpath in a jar's manifest; it then says it by this property. */
  static String classpath() {
    String underSurefire = System.getProperty("surefire.test.class.path");
    return underSurefire != null ? underSurefire : System.getProperty("java.class.path");
  }
}
