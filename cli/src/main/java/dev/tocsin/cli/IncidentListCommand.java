package dev.tocsin.cli;

import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.ListIncidentsResponse;
import dev.tocsin.proto.incidents.Staleness;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tocsin incident list}: incidents, newest first. */
@Command(
    name = "list",
    description = "List incidents, newest first. With --json: one object a line.",
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin incident list",
      "  tocsin incident list --state open --severity P0,P1",
      "  tocsin incident list --source disk --limit 0 --json | jq -r .title"
    })
final class IncidentListCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  /** The server cuts a page to this. */
  private static final int PAGE_SIZE_MAX = 1_000;

  private static final int PAGE_SIZE_DEFAULT = 50;
  @Spec CommandSpec spec;

  @Mixin Output output;

  @Mixin IncidentFilter filter;

  @Option(
      names = "--severity",
      split = ",",
      paramLabel = "P0..P4",
      converter = ProtoNames.SeverityNumber.class,
      description = "Only these.")
  List<Integer> severities = List.of();

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "50",
      description = "At most N; 0 for all. Default: 50.")
  long limit;

  @Option(
      names = "--page-size",
      paramLabel = "N",
      description = "How many to ask for at a time, at most 1000.")
  Integer pageSize;

  @Override
  public Integer call() {
    if (limit < 0 || (pageSize != null && (pageSize < 1 || pageSize > PAGE_SIZE_MAX))) {
      throw new ParameterException(
          spec.commandLine(), "--limit must not be negative, --page-size from 1 to 1000");
    }
    ListIncidentsRequest.Builder request = request();
    TocsinMain tocsin = TocsinMain.above(spec);
    Terminal terminal = tocsin.terminal();
    IncidentTable table = new IncidentTable(terminal);
    long left = limit == 0 ? Long.MAX_VALUE : limit;
    long shown = 0;
    Staleness stalest = null;
    try (Server server = tocsin.server()) {
      ListIncidentsResponse page;
      do {
        page = server.incidents().listIncidents(request.setPageSize(pageSize(left)).build());
        List<Incident> rows = page.getIncidentsList();
        rows = rows.subList(0, (int) Math.min(left, rows.size()));
        print(terminal, table, rows);
        shown += rows.size();
        left -= rows.size();
        if (page.hasStaleness()) {
          stalest = StandbyNote.stalest(stalest, page.getStaleness());
        }
        request.setPageToken(page.getNextPageToken());
      } while (left > 0 && !page.getNextPageToken().isEmpty() && !terminal.out().checkError());
      StandbyNote.say(terminal, stalest);
      note(terminal, shown, !page.getNextPageToken().isEmpty());
    }
    return 0;
  }

  private ListIncidentsRequest.Builder request() {
    return ListIncidentsRequest.newBuilder()
        .addAllStatesValue(filter.stateNumbers())
        .addAllSeveritiesValue(severities)
        .setSource(filter.source)
        .setIncludeSuppressed(filter.includeSuppressed);
  }

  private int pageSize(long left) {
    long wanted = pageSize != null ? pageSize : limit == 0 ? PAGE_SIZE_MAX : PAGE_SIZE_DEFAULT;
    return (int) Math.min(left, wanted);
  }

  private void print(Terminal terminal, IncidentTable table, List<Incident> rows) {
    if (output.json()) {
      rows.forEach(incident -> terminal.out().println(ProtoJson.line(incident)));
    } else {
      table.print(rows);
    }
  }

  private void note(Terminal terminal, long shown, boolean more) {
    terminal.out().flush();
    if (more) {
      terminal.say("tocsin: the newest %,d; there are more: --limit 0 lists all".formatted(shown));
    } else if (shown == 0 && !output.json()) {
      terminal.say("tocsin: no such incidents");
    }
  }
}
