package dev.tocsin.cli;

import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc.IncidentServiceBlockingStub;
import io.grpc.StatusRuntimeException;
import java.util.UUID;
import java.util.function.Function;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** What the commands that change incidents have in common: they ask, and say what came of it. */
final class Change {
  /** For the help of each of them. */
  static final String EXIT_CODES = "%nExit codes, beside those of tocsin --help:%n";

  static final String REFUSED = "67:something in it is wrong";
  static final String NOT_FOUND = "69:there is no such incident";
  static final String STALE = "74:it is not at the expected revision any more";
  static final String UNKNOWN =
      "68, 78:no answer in time, or none at all: what is printed says how to ask again";

  @Spec(Target.MIXEE)
  CommandSpec command;

  @Option(
      names = "--request-id",
      paramLabel = "ID",
      description =
          "Names this request; with the same one again it takes effect once. Default: a new one.")
  private String requestId = "";

  @Option(names = "--json", description = "Print the incident as JSON.")
  private boolean json;

  /** The request's id, as given or made. */
  String requestId() {
    if (requestId.isEmpty()) {
      requestId = UUID.randomUUID().toString();
    }
    return requestId;
  }

  /**
   * Asks the server, and prints the incident as it is then.
   *
   * @param done what to call it, such as {@code created}
   */
  int ask(String done, Function<IncidentServiceBlockingStub, Incident> call) throws Failure {
    TocsinMain tocsin = TocsinMain.above(command);
    try (Server server = tocsin.server()) {
      Incident incident = call.apply(server.incidents());
      boolean asJson = json || tocsin.json;
      tocsin.terminal().out().println(asJson ? ProtoJson.pretty(incident) : text(done, incident));
      return 0;
    } catch (StatusRuntimeException e) {
      throw explained(e);
    }
  }

  private Failure explained(StatusRuntimeException error) {
    Failure failure = Failure.of(error);
    if (!Failure.effectUnknown(error.getStatus(), error.getTrailers())) {
      return failure;
    }
    return new Failure(
        failure.exitCode(),
        "%s%nWhether it took effect is not known. Ask again with --request-id %s: it takes effect once."
            .formatted(failure.getMessage(), requestId()));
  }

  private static String text(String done, Incident incident) {
    return "%s %s  %s %s  revision %d  %s"
        .formatted(
            done,
            Terminal.clean(incident.getId()),
            ProtoNames.name(incident.getState(), incident.getStateValue()),
            ProtoNames.name(incident.getSeverity(), incident.getSeverityValue()),
            incident.getRevision(),
            Terminal.clean(incident.getTitle()));
  }
}
