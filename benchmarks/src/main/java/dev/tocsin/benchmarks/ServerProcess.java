package dev.tocsin.benchmarks;

import dev.tocsin.broker.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A server of Tocsin as a process of its own, which ends with its stand at the latest. */
final class ServerProcess implements AutoCloseable {
  /** As much heap as a server in a small set-up has. */
  static final List<String> FLAGS = List.of("-Xmx512m");

  private static final Duration START_MAX = Duration.ofMinutes(1);
  private static final Duration POLL = Duration.ofMillis(50);

  private final Process process;
  private final Matcher started;

  private ServerProcess(Process process, Matcher started) {
    this.process = process;
    this.started = started;
  }

  /**
   * Starts one and waits until it says on which ports it listens.
   *
   * @param name of its folder
   * @param started what it prints then
   */
  static ServerProcess start(
      EdgeStand stand, String name, String main, List<String> settings, Pattern started)
      throws IOException {
    return start(stand, name, FLAGS, main, settings, started);
  }

  /**
   * The same with other flags.
   *
   * @param flags of its JVM
   */
  static ServerProcess start(
      EdgeStand stand,
      String name,
      List<String> flags,
      String main,
      List<String> settings,
      Pattern started)
      throws IOException {
    Path folder = stand.newFolder(name);
    List<String> all = new ArrayList<>(settings);
    all.add("kafka.bootstrap.servers=" + stand.bootstrap());
    Path file = Files.write(folder.resolve(name + ".properties"), all);
    Path log = folder.resolve(name + ".log");
    Process process =
        stand.start(
            new ProcessBuilder(ChildJvm.command(main, flags, List.of(file.toString())))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile()));
    long untilNs = System.nanoTime() + START_MAX.toNanos();
    while (process.isAlive() && System.nanoTime() - untilNs < 0) {
      Matcher said = started.matcher(Files.readString(log));
      if (said.find()) {
        return new ServerProcess(process, said);
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
    ChildProcess.stop(process);
    throw new IOException(name + " did not start: " + Files.readString(log));
  }

  Process process() {
    return process;
  }

  /** One of the ports that it said, from 1. */
  int port(int group) {
    return Integer.parseInt(started.group(group));
  }

  @Override
  public void close() {
    ChildProcess.stop(process);
  }
}
