package dev.tocsin.cli;

import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentEventType;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tocsin incident watch}: incidents as they are, then each change, until Ctrl-C. */
@Command(
    name = "watch",
    description = {
      "Show incidents as they are, then each change as it happens, a line each, until Ctrl-C.",
      "While the server is away it waits and goes on where it was. With --json: one event a line."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin incident watch --state open --min-severity P1",
      "  tocsin incident watch --token-file ~/.watch     go on where the last run was",
      "  tocsin incident watch --live-only --json | jq -r .incident.title"
    })
final class IncidentWatchCommand implements Callable<Integer> {
  /** Before the first attempt to connect again; doubled with each that fails. */
  private static final Duration BACKOFF_MIN = Duration.ofMillis(250);

  private static final Duration BACKOFF_MAX = Duration.ofSeconds(10);

  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Mixin Output output;

  @Mixin IncidentFilter filter;

  @Option(
      names = "--min-severity",
      paramLabel = "P0..P4",
      converter = ProtoNames.SeverityNumber.class,
      description = "Only this or worse.")
  Integer minSeverity;

  @Option(
      names = "--live-only",
      description = "Leave out how things are: only what changes from now on.")
  boolean liveOnly;

  @Option(
      names = "--resume",
      paramLabel = "TOKEN",
      description = "Go on behind the event that carried this resume_token.")
  String resume = "";

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description =
          "Keep the last token here, and go on from it if there is one. At most the last second comes twice.")
  Path tokenFile;

  private final CountDownLatch interrupted = new CountDownLatch(1);
  private final Context.CancellableContext context = Context.current().withCancellation();

  @Override
  public Integer call() throws Failure, InterruptedException {
    if (!resume.isEmpty() && tokenFile != null) {
      throw new ParameterException(
          spec.commandLine(), "--resume and --token-file exclude each other");
    }
    StreamIncidentsRequest.Builder request =
        StreamIncidentsRequest.newBuilder()
            .addAllStatesValue(filter.stateNumbers())
            .setSource(filter.source)
            .setIncludeSuppressed(filter.includeSuppressed)
            .setLiveOnly(liveOnly);
    if (minSeverity != null) {
      request.addMinSeverityValue(minSeverity);
    }
    TocsinMain tocsin = TocsinMain.above(spec);
    WatchLines lines = new WatchLines(tocsin.terminal(), output.json());
    try (Server server = tocsin.server();
        TokenFile tokens = tokens();
        Interrupt interrupt = new Interrupt()) {
      interrupt.with(this::interrupt);
      watch(tocsin.terminal(), server, request, lines, tokens);
      return 0;
    } catch (IOException e) {
      throw Failure.of(e);
    } finally {
      context.cancel(null);
    }
  }

  private TokenFile tokens() throws IOException {
    return tokenFile == null ? TokenFile.none(resume) : TokenFile.of(tokenFile);
  }

  private void interrupt() {
    interrupted.countDown();
    context.cancel(null);
  }

  private void watch(
      Terminal terminal,
      Server server,
      StreamIncidentsRequest.Builder request,
      WatchLines lines,
      TokenFile tokens)
      throws IOException, Failure, InterruptedException {
    int failures = 0;
    while (interrupted.getCount() > 0) {
      try {
        request.setResumeToken(tokens.token());
        Iterator<IncidentEvent> events = events(server, request.build());
        while (events.hasNext()) {
          failures = 0;
          IncidentEvent event = events.next();
          if (!lines.print(event)) {
            return; // nobody reads any more
          }
          tokens.keep(event.getResumeToken());
        }
        throw Status.UNAVAILABLE.withDescription("the stream ended").asRuntimeException();
      } catch (StatusRuntimeException e) {
        if (interrupted.getCount() == 0) {
          return;
        }
        failures++;
        again(terminal, e, tokens.token(), failures);
      }
    }
  }

  private Iterator<IncidentEvent> events(Server server, StreamIncidentsRequest request) {
    Context before = context.attach();
    try {
      return server.incidentStreams().streamIncidents(request);
    } finally {
      context.detach(before);
    }
  }

  /** Says why, and waits; or gives up where waiting does not help. */
  private void again(Terminal terminal, StatusRuntimeException e, String token, int failures)
      throws Failure, InterruptedException {
    Status.Code code = e.getStatus().getCode();
    if (code == Status.Code.OUT_OF_RANGE && tokenFile != null) {
      throw new Failure(
          Failure.GRPC_BASE + code.value(),
          "%s; remove %s to begin anew"
              .formatted(Failure.describe(e.getStatus(), e.getTrailers()), tokenFile));
    }
    if (code != Status.Code.UNAVAILABLE) {
      throw Failure.of(e);
    }
    terminal.out().flush();
    terminal.say(
        "tocsin: %s; %s"
            .formatted(
                Failure.describe(e.getStatus(), e.getTrailers()),
                token.isEmpty() ? "beginning anew" : "going on where it was"));
    long doubled = BACKOFF_MIN.toMillis() << Math.min(failures - 1, 10);
    var unused =
        interrupted.await(Math.min(doubled, BACKOFF_MAX.toMillis()), TimeUnit.MILLISECONDS);
  }

  /** The event types that carry no news for a person. */
  static boolean isSign(IncidentEventType type) {
    return type == IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE
        || type == IncidentEventType.INCIDENT_EVENT_TYPE_HEARTBEAT;
  }
}
