package dev.tocsin.broker;

import java.nio.file.Path;
import java.util.List;

/** The command line of the child: a heap that is bounded, and a log of its own. */
final class BrokerCommand {
  private BrokerCommand() {}

  static List<String> of(BrokerFolder folder, int port, Path logFile) {
    return ChildJvm.command(
        BrokerMain.class.getName(),
        List.of(
            "-Xms128m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-Xshare:auto",
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:ErrorFile=" + folder.root().resolve("hs_err_pid%p.log"),
            "-Djava.awt.headless=true",
            "-Dlog4j2.configurationFile=classpath:dev/tocsin/broker/broker-log4j2.xml",
            "-Dtocsin.broker.log=" + logFile),
        List.of(folder.root().toString(), Integer.toString(port)));
  }
}
