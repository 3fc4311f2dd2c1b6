package dev.tocsin.cli;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.CreateSilenceRequest;
import dev.tocsin.proto.incidents.CreateSilenceResponse;
import io.grpc.StatusRuntimeException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tocsin silence create}: hides what matches for a time. */
@Command(
    name = "create",
    description = {
      "Hide the open incidents that all MATCHERs match, and those that come, until the silence ends.",
      ""
    },
    exitCodeListHeading = Change.EXIT_CODES,
    exitCodeList = {Change.REFUSED, Change.UNKNOWN},
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin silence create 'labels.service = db' --for 2h --comment 'new disks'",
      "  tocsin silence create 'source =~ edge-.*' 'severity != P0' \\",
      "      --start 2030-01-05T22:00:00Z --for 8h --comment move"
    })
final class SilenceCreateCommand implements Callable<Integer> {
  private static final Pattern LENGTH = Pattern.compile("(\\d{1,9})(s|m|h|d)");
  private static final Map<String, Long> UNITS_S =
      Map.of("s", 1L, "m", 60L, "h", 3_600L, "d", 86_400L);

  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Mixin Output output;

  @Parameters(
      paramLabel = "MATCHER",
      arity = "1..*",
      description = "FIELD OPERATOR VALUE, as in rules; docs/RULES.md says which there are.")
  List<String> matchers = List.of();

  @Option(names = "--for", paramLabel = "TIME", description = "How long: 30m, 2h, 7d.")
  String length;

  @Option(
      names = "--until",
      paramLabel = "INSTANT",
      description = "Instead of --for: the end, as 2030-01-05T06:00:00Z.")
  String until;

  @Option(
      names = "--start",
      paramLabel = "INSTANT",
      description = "The beginning, as 2030-01-05T06:00:00Z. Default: now.")
  String start;

  @Option(names = "--comment", required = true, description = "Why.")
  String comment;

  @Option(
      names = "--request-id",
      paramLabel = "ID",
      description =
          "Names this request; with the same one again it takes effect once. Default: a new one.")
  String requestId = "";

  @Override
  public Integer call() throws Failure {
    CreateSilenceRequest request = request();
    TocsinMain tocsin = TocsinMain.above(spec);
    try (Server server = tocsin.server()) {
      CreateSilenceResponse created = server.silences().createSilence(request);
      tocsin
          .terminal()
          .out()
          .println(
              output.json()
                  ? ProtoJson.line(created)
                  : SilenceTable.text("created", created.getSilence()));
      return 0;
    } catch (StatusRuntimeException e) {
      throw explained(e, request);
    }
  }

  private CreateSilenceRequest request() {
    if ((length == null) == (until == null)) {
      throw new ParameterException(spec.commandLine(), "give either --for or --until");
    }
    CreateSilenceRequest.Builder request =
        CreateSilenceRequest.newBuilder()
            .addAllMatchers(matchers)
            .setComment(comment)
            .setRequestId(requestId.isEmpty() ? UUID.randomUUID().toString() : requestId);
    Instant begin = start == null ? Instant.now() : instant("--start", start);
    if (start != null) {
      request.setStart(timestamp(begin));
    }
    Instant end = until == null ? begin.plus(length()) : instant("--until", until);
    return request.setEnd(timestamp(end)).build();
  }

  private Duration length() {
    Matcher parts = LENGTH.matcher(length);
    if (!parts.matches()) {
      throw new ParameterException(
          spec.commandLine(),
          "--for: must be a number and one of s, m, h, d, not '" + length + "'");
    }
    return Duration.ofSeconds(Long.parseLong(parts.group(1)) * UNITS_S.get(parts.group(2)));
  }

  private Instant instant(String option, String text) {
    try {
      return Instant.parse(text);
    } catch (DateTimeException e) {
      throw new ParameterException(
          spec.commandLine(), option + ": must be as 2030-01-05T06:00:00Z, not '" + text + "'", e);
    }
  }

  private static Timestamp timestamp(Instant at) {
    return Timestamp.newBuilder().setSeconds(at.getEpochSecond()).setNanos(at.getNano()).build();
  }

  /** Asked again it would begin and end a little later, so the end has to be said. */
  private static Failure explained(StatusRuntimeException error, CreateSilenceRequest request) {
    Failure failure = Failure.of(error);
    if (!Failure.effectUnknown(error.getStatus(), error.getTrailers())) {
      return failure;
    }
    return new Failure(
        failure.exitCode(),
        "%s%nSome partitions may have it. Ask again with --request-id %s --until %s: it is completed."
            .formatted(
                failure.getMessage(),
                request.getRequestId(),
                Instant.ofEpochSecond(request.getEnd().getSeconds(), request.getEnd().getNanos())));
  }
}
