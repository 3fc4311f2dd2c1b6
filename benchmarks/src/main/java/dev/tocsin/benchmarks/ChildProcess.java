package dev.tocsin.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** How the benches start, run and stop programs. */
final class ChildProcess {
  private static final Duration STOP_MAX = Duration.ofSeconds(30);
  private static final Duration RUN_MAX = Duration.ofMinutes(1);

  private ChildProcess() {}

  /** A command that runs a jar with a class path of its own. */
  static List<String> jar(Path jar, List<String> flags, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(jdkTool("java"));
    command.addAll(flags);
    command.addAll(List.of("-jar", jar.toString()));
    command.addAll(arguments);
    return command;
  }

  /** A program of the JDK that this runs on. */
  static String jdkTool(String name) {
    return Path.of(System.getProperty("java.home"), "bin", name).toString();
  }

  /**
   * Runs a short program.
   *
   * @throws IOException with what it said, if it fails or takes more than a minute
   */
  static void run(List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (!process.waitFor(RUN_MAX.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new IOException(command.get(0) + ": " + said);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  /** Asks it to end, and ends it by force if it has not after half a minute. */
  static void stop(Process process) {
    process.destroy();
    try {
      if (!process.waitFor(STOP_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
