package dev.tocsin.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Prometheus' Alertmanager, on this machine only and alone: any free port of loopback, no cluster,
 * one route to a receiver that does nothing. Its data is in a folder of the bench's.
 */
final class Alertmanager implements AutoCloseable {
  /** As Debian names it. */
  static final String PROGRAM = "prometheus-alertmanager";

  private static final Pattern LISTENING =
      Pattern.compile("msg=\"Listening on\" address=(127\\.0\\.0\\.1:\\d+)");
  private static final String CONFIG =
      """
      route:
        receiver: none
      receivers:
        - name: none
      """;

  private final Process process;
  private final String address;

  private Alertmanager(Process process, String address) {
    this.process = process;
    this.address = address;
  }

  static Alertmanager start(Path folder) throws IOException {
    Path config = Files.writeString(folder.resolve("alertmanager.yml"), CONFIG);
    Process process =
        new ProcessBuilder(
                List.of(
                    PROGRAM,
                    "--config.file=" + config,
                    "--storage.path=" + folder.resolve("data"),
                    "--web.listen-address=127.0.0.1:0",
                    "--cluster.listen-address="))
            .redirectErrorStream(true)
            .start();
    BufferedReader out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    StringBuilder said = new StringBuilder();
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      said.append(line).append('\n');
      Matcher listening = LISTENING.matcher(line);
      if (listening.find()) {
        drain(out);
        return new Alertmanager(process, listening.group(1));
      }
    }
    ChildProcess.stop(process);
    throw new IOException("Alertmanager did not start:\n" + said);
  }

  /** A pipe that nobody reads would stall it. */
  private static void drain(BufferedReader out) {
    Thread thread =
        new Thread(
            () -> {
              try {
                out.transferTo(Writer.nullWriter());
              } catch (IOException e) {
                // it has ended
              }
            },
            "alertmanager-output");
    thread.setDaemon(true);
    thread.start();
  }

  /** Host and port of its API. */
  String address() {
    return address;
  }

  @Override
  public void close() {
    ChildProcess.stop(process);
  }
}
