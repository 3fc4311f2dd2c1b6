package dev.tocsin.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tocsin alert stream}: sends a file of alerts. */
@Command(
    name = "stream",
    description = {
      "Send alerts from a file, one protobuf-JSON AlertMessage a line.",
      "",
      "A line that is no alert is named on standard error, counted, and passed over. An alert that the"
          + " server cannot take at once is sent again after the time that the server names. An alert"
          + " without alert_id gets one, so that sending it again never counts it twice. The last line"
          + " has the counts; the exit code is 0 only if every line was acknowledged.",
      ""
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin alert stream alerts.jsonl",
      "  tocsin alert stream alerts.jsonl --rate 500 --json",
      "  tail -f alerts.jsonl | tocsin alert stream -"
    })
final class AlertStreamCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Mixin Output output;

  @Parameters(paramLabel = "FILE", description = "The file; - is standard input.")
  String file;

  @Option(
      names = "--rate",
      paramLabel = "N",
      description = "Send at most N alerts a second. Default: as fast as they are taken.")
  Double rate;

  @Option(
      names = "--retries",
      paramLabel = "N",
      defaultValue = "5",
      description = "How often to send an alert again that was not taken. Default: 5.")
  int retries;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (rate != null && !(rate > 0 && rate <= 1e9)) {
      throw new ParameterException(spec.commandLine(), "--rate: must be over 0");
    }
    if (retries < 0) {
      throw new ParameterException(spec.commandLine(), "--retries: must not be negative");
    }
    TocsinMain tocsin = TocsinMain.above(spec);
    try (Server server = tocsin.server();
        Interrupt interrupt = new Interrupt()) {
      AlertStreamer.Options options =
          new AlertStreamer.Options(rate == null ? 0 : rate, retries, server.timeout());
      StreamResult result = stream(tocsin.terminal(), server, options, interrupt);
      return conclude(tocsin.terminal(), server, result);
    }
  }

  private StreamResult stream(
      Terminal terminal, Server server, AlertStreamer.Options options, Interrupt interrupt)
      throws IOException, InterruptedException {
    if (file.equals("-")) {
      return send(terminal, server, options, interrupt, terminal.in(), -1); // not ours to close
    }
    Path path = Path.of(file);
    if (Files.isDirectory(path)) {
      throw new IOException(file + ": is a folder");
    }
    try (InputStream in = Files.newInputStream(path)) {
      long lines = terminal.errShown() ? linesOf(path) : -1;
      return send(terminal, server, options, interrupt, in, lines);
    }
  }

  private static StreamResult send(
      Terminal terminal,
      Server server,
      AlertStreamer.Options options,
      Interrupt interrupt,
      InputStream in,
      long lines)
      throws InterruptedException {
    try (StreamReport report = new StreamReport(terminal, lines)) {
      AlertStreamer streamer = new AlertStreamer(server.alertStreams(), options, report);
      interrupt.with(() -> streamer.stop("interrupted"));
      return streamer.run(new AlertLines(in));
    }
  }

  private int conclude(Terminal terminal, Server server, StreamResult result) {
    result.failure().ifPresent(failure -> terminal.say(explain(server, result, failure)));
    terminal.out().println(output.json() ? result.json().toString() : result.summary());
    terminal.out().flush();
    return result.exitCode();
  }

  private static String explain(Server server, StreamResult result, Failure failure) {
    if (result.sent() == 0) {
      return "tocsin: " + server.target() + ": " + failure.getMessage();
    }
    return ("tocsin: %s: the stream ended early, after %,d alerts: %s%n"
            + "tocsin: %,d are acknowledged, of %,d it is unknown. Send the file again: what has an"
            + " alert_id is not counted twice within the hour.")
        .formatted(
            server.target(),
            result.sent(),
            failure.getMessage(),
            result.acknowledged(),
            result.unknown());
  }

  /** Lines of a regular file, for the progress bar; unknown for a pipe, which can be read once. */
  private static long linesOf(Path path) throws IOException {
    if (!Files.isRegularFile(path)) {
      return -1;
    }
    try (InputStream in = Files.newInputStream(path)) {
      byte[] buffer = new byte[1 << 16];
      long lines = 0;
      byte last = '\n';
      for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
        for (int i = 0; i < n; i++) {
          lines += buffer[i] == '\n' ? 1 : 0;
        }
        last = buffer[n - 1];
      }
      return last == '\n' ? lines : lines + 1;
    }
  }
}
