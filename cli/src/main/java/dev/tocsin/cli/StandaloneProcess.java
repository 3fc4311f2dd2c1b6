package dev.tocsin.cli;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * A standalone in a folder of its own, as a child process. Closing it ends the child and all that
 * the child started, and removes the folder; closing may be done twice, and from any thread.
 */
final class StandaloneProcess implements AutoCloseable, DemoCounts.Life {
  static final Duration READY_MAX = Duration.ofSeconds(60);

  /** For an orderly end; then it is killed. */
  static final Duration STOP_MAX = Duration.ofSeconds(20);

  private static final Duration KILL_MAX = Duration.ofSeconds(5);
  private static final long READY_POLL_MS = 20;
  private static final int OUTPUT_SHOWN_BYTES_MAX = 4096;
  private static final int OUTPUT_SHOWN_LINES_MAX = 25;

  private final Path folder;
  private final boolean keep;
  private final Process process;
  private boolean closed;

  private StandaloneProcess(Path folder, boolean keep, Process process) {
    this.folder = folder;
    this.keep = keep;
    this.process = process;
  }

  /**
   * Starts one on free ports.
   *
   * @param home the project's root, built
   * @param keep whether to leave the folder
   * @throws Failure if there is nothing to start
   */
  static StandaloneProcess start(Path home, boolean keep) throws IOException, Failure {
    Path target = home.resolve("standalone").resolve("target");
    Path jar = target.resolve("standalone.jar");
    if (!Files.isRegularFile(jar)) {
      throw new Failure(
          Failure.WORK_FAILED,
          jar + " is missing: build it with ./mvnw package, or run ./tocsin demo");
    }
    Path folder = Files.createTempDirectory("tocsin-demo-");
    ProcessBuilder child = new ProcessBuilder(command(jar, target.resolve("lib"), folder));
    child.environment().keySet().removeIf(name -> name.startsWith("TOCSIN_")); // of the user's own
    child.redirectErrorStream(true);
    child.redirectOutput(folder.resolve("standalone.log").toFile());
    try {
      return new StandaloneProcess(folder, keep, child.start());
    } catch (IOException e) {
      remove(folder);
      throw e;
    }
  }

  private static List<String> command(Path jar, Path lib, Path folder) {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return List.of(
        java,
        "-cp",
        jar + File.pathSeparator + lib + File.separator + "*",
        "dev.tocsin.standalone.StandaloneMain",
        "--data",
        folder.resolve("data").toString(),
        "--port",
        "0",
        "--metrics-port",
        "0",
        "--kafka-port",
        "0",
        "--ready-file",
        folder.resolve("ready.json").toString(),
        "--with-parent"); // its standard input is a pipe that this process holds
  }

  /**
   * Waits until it serves; returns where, as host:port.
   *
   * @throws Failure with the end of its output, if it dies or is not ready in time
   */
  String awaitReady(Duration max) throws IOException, InterruptedException, Failure {
    long deadline = System.nanoTime() + max.toNanos();
    while (System.nanoTime() < deadline) {
      String address = address();
      if (address != null) {
        return address;
      }
      if (died(READY_POLL_MS)) {
        throw new Failure(
            Failure.WORK_FAILED,
            "the standalone ended with exit code " + process.exitValue() + outputEnd());
      }
    }
    throw new Failure(
        Failure.WORK_FAILED,
        "the standalone is not ready after %.3g s".formatted(max.toMillis() / 1e3) + outputEnd());
  }

  @Override
  public boolean died(long waitMs) throws InterruptedException {
    return process.waitFor(waitMs, TimeUnit.MILLISECONDS);
  }

  Path folder() {
    return folder;
  }

  long pid() {
    return process.pid();
  }

  /** The last lines of what it printed, each on a line of its own, after a colon. */
  @Override
  public String outputEnd() throws IOException {
    try (RandomAccessFile log =
        new RandomAccessFile(folder.resolve("standalone.log").toFile(), "r")) {
      int bytes = (int) Math.min(OUTPUT_SHOWN_BYTES_MAX, log.length());
      byte[] end = new byte[bytes];
      log.seek(log.length() - bytes);
      log.readFully(end);
      List<String> lines = new String(end, StandardCharsets.UTF_8).lines().toList();
      int from = Math.max(0, lines.size() - OUTPUT_SHOWN_LINES_MAX);
      StringBuilder text = new StringBuilder(lines.isEmpty() ? "; it printed nothing" : ":");
      lines
          .subList(from, lines.size())
          .forEach(line -> text.append("\n  ").append(Terminal.clean(line)));
      return text.toString();
    }
  }

  /** The address in the ready file; null while there is none, or only a part of it. */
  private String address() throws IOException {
    try {
      String json = Files.readString(folder.resolve("ready.json"));
      JsonObject ready = JsonParser.parseString(json).getAsJsonObject();
      return ready.has("grpc") ? ready.get("grpc").getAsString() : null;
    } catch (NoSuchFileException | JsonParseException | IllegalStateException e) {
      return null;
    }
  }

  @Override
  public void close() {
    end(STOP_MAX);
  }

  /** Ends it, in order if that takes no longer than {@code stopMax}. */
  synchronized void end(Duration stopMax) {
    if (closed) {
      return;
    }
    closed = true;
    List<ProcessHandle> all =
        Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
    process.destroy();
    ended(all, stopMax);
    all.stream().filter(ProcessHandle::isAlive).forEach(ProcessHandle::destroyForcibly);
    ended(all, KILL_MAX);
    if (!keep) {
      remove(folder);
    }
  }

  /** Waits until all have ended, at most so long; an interruption ends the wait. */
  private static void ended(List<ProcessHandle> all, Duration max) {
    CompletableFuture<?>[] ends =
        all.stream().map(ProcessHandle::onExit).toArray(CompletableFuture[]::new);
    try {
      CompletableFuture.allOf(ends).get(max.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      // who is alive still is seen by who asks
    }
  }

  /** Removes a folder with all that is in it, as far as that can be done. */
  static void remove(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      files.sorted(Comparator.reverseOrder()).forEach(StandaloneProcess::delete);
    } catch (IOException | UncheckedIOException e) {
      // the folder is temporary; what cannot be removed now is the system's to remove
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
