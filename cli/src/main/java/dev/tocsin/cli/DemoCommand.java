package dev.tocsin.cli;

import dev.tocsin.proto.admin.GetProgressRequest;
import dev.tocsin.proto.admin.GetProgressResponse;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.ListIncidentsResponse;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code tocsin demo}: everything once, on a server of its own that is gone afterwards, or on one
 * that is there.
 */
@Command(
    name = "demo",
    description = {
      "Start a server in a temporary folder, send it alerts, and show the incidents that they become.",
      "",
      "The exit code is 0 only if every alert sent is accounted for: acknowledged or rejected, and each"
          + " acknowledged one applied. Server and folder are gone afterwards, however it ends.",
      "",
      "With --target it is sent to that server, which stays as it is. The counts are of what was applied"
          + " meanwhile: let nobody else send then.",
      ""
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin demo",
      "  tocsin demo --file alerts.jsonl --json",
      "  tocsin demo --target localhost:9000"
    })
final class DemoCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  private static final String SAMPLE = "/demo-alerts.jsonl";
  private static final int ROWS_MAX = 25;
  private static final int RETRIES = 20;

  @Spec CommandSpec spec;

  @Mixin Output output;

  @Option(
      names = "--file",
      paramLabel = "FILE",
      description =
          "Send these alerts, one protobuf-JSON AlertMessage a line. Default: the story of an outage, 1,500 alerts.")
  Path file;

  @Option(names = "--keep", description = "Leave the folder, with the server's data and log.")
  boolean keep;

  @Override
  public Integer call() throws IOException, InterruptedException, Failure {
    try (InputStream alerts = open();
        Interrupt interrupt = new Interrupt()) {
      try {
        return run(alerts, interrupt);
      } catch (Failure failure) {
        // what fails because everything is being ended is no news
        throw interrupt.happened() ? new Failure(Failure.WORK_FAILED, "interrupted") : failure;
      }
    }
  }

  private int run(InputStream alerts, Interrupt interrupt)
      throws IOException, InterruptedException, Failure {
    Terminal terminal = TocsinMain.above(spec).terminal();
    if (TocsinMain.targetGiven(spec)) {
      try (Server server = TocsinMain.above(spec).server()) {
        return run(terminal, DemoCounts.Life.UNKNOWN, progress(server), server, alerts);
      }
    }
    try (StandaloneProcess standalone = StandaloneProcess.start(home(), keep)) {
      interrupt.with(standalone::close);
      long started = System.nanoTime();
      progress(terminal, "starting a server in " + standalone.folder());
      if (keep) {
        terminal.say("tocsin: kept afterwards: " + standalone.folder());
      }
      String address = standalone.awaitReady(StandaloneProcess.READY_MAX);
      progress(
          terminal,
          "it serves on %s after %.1f s".formatted(address, (System.nanoTime() - started) / 1e9));
      try (Server server = new Server(address, TocsinMain.above(spec).timeout)) {
        return run(terminal, standalone, GetProgressResponse.getDefaultInstance(), server, alerts);
      }
    }
  }

  private int run(
      Terminal terminal,
      DemoCounts.Life life,
      GetProgressResponse before,
      Server server,
      InputStream alerts)
      throws IOException, InterruptedException, Failure {
    StreamResult sent = send(terminal, server, alerts);
    if (sent.failure().isPresent()) {
      String end = life.died(0) ? "; the standalone has ended" + life.outputEnd() : "";
      throw new Failure(sent.exitCode(), sent.failure().get().getMessage() + end);
    }
    long sentNanos = System.nanoTime();
    DemoCounts counts = DemoCounts.await(server, before, sent, life);
    counts = counts.took(sent.elapsed().plusNanos(System.nanoTime() - sentNanos));
    show(terminal, server, counts);
    String missing = counts.missing();
    if (!missing.isEmpty()) {
      terminal.say("tocsin: not every alert is accounted for: " + missing);
    }
    return missing.isEmpty() ? 0 : Failure.WORK_FAILED;
  }

  private static GetProgressResponse progress(Server server) throws Failure {
    try {
      return server.admin().getProgress(GetProgressRequest.getDefaultInstance());
    } catch (StatusRuntimeException e) {
      throw Failure.of(e);
    }
  }

  private StreamResult send(Terminal terminal, Server server, InputStream alerts)
      throws InterruptedException {
    progress(terminal, "sending " + (file == null ? "the sample" : file));
    try (StreamReport report = new StreamReport(terminal, -1)) {
      var options = new AlertStreamer.Options(0, RETRIES, server.timeout());
      return new AlertStreamer(server.alertStreams(), options, report).run(new AlertLines(alerts));
    }
  }

  private void show(Terminal terminal, Server server, DemoCounts counts) {
    if (output.json()) {
      terminal.out().println(counts.json());
      return;
    }
    ListIncidentsResponse newest =
        server
            .incidents()
            .listIncidents(ListIncidentsRequest.newBuilder().setPageSize(ROWS_MAX).build());
    new IncidentTable(terminal).print(newest.getIncidentsList());
    long more = counts.incidents() - newest.getIncidentsCount();
    if (more > 0) {
      terminal.out().printf("and %,d more%n", more);
    }
    terminal.out().println(counts.summary());
  }

  private InputStream open() throws IOException {
    if (file == null) {
      return DemoCommand.class.getResourceAsStream(SAMPLE);
    }
    if (Files.isDirectory(file)) {
      throw new IOException(file + ": is a folder");
    }
    return Files.newInputStream(file);
  }

  private static Path home() throws Failure {
    String home = System.getProperty("tocsin.home");
    if (home == null) {
      throw new Failure(
          Failure.WORK_FAILED,
          "the project's root is not known: run ./tocsin demo, or set -Dtocsin.home");
    }
    return Path.of(home);
  }

  private void progress(Terminal terminal, String text) {
    if (!output.json()) {
      terminal.say("tocsin: " + text);
    }
  }
}
