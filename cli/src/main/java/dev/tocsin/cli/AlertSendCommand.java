package dev.tocsin.cli;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertMessage;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code tocsin alert send}: sends one alert and waits until it is safe. */
@Command(
    name = "send",
    description = "Send one alert; returns when it is safe on the log.",
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin alert send --source disk --title 'Disk full' --severity P1 --type INFRASTRUCTURE \\",
      "      --label service=db --label host=db-3 --resource /dev/sda1",
      "  tocsin alert send --source disk --title 'Disk full' --label service=db --label host=db-3 --resolved",
      "  tocsin alert send --json '{\"source\": \"disk\", \"title\": \"Disk full\", \"severity\": 2}'"
    })
final class AlertSendCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  /** What {@code --json} without a value stands for. */
  private static final String OUTPUT_ONLY = "";

  @Spec CommandSpec spec;

  @Option(
      names = "--json",
      arity = "0..1",
      fallbackValue = OUTPUT_ONLY,
      paramLabel = "ALERT",
      description =
          "Print the ack as JSON. With a value: take the alert from it, protobuf-JSON of AlertMessage; flags add to it.")
  String json;

  @Option(names = "--id", description = "The source's own id; sent again, it counts once.")
  String id;

  @Option(names = "--source", description = "Who sends it. Required.")
  String source;

  @Option(names = "--title", description = "What is wrong, in one line. Required.")
  String title;

  @Option(names = "--description", description = "The same at length.")
  String description;

  @Option(
      names = "--severity",
      paramLabel = "P0..P4",
      converter = ProtoNames.SeverityNumber.class,
      description = "P0 is the worst; or the number in alerts.proto: 1 is P0, 2 is P1, 5 is P4.")
  Integer severity;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      converter = ProtoNames.TypeNumber.class,
      description =
          "INFRASTRUCTURE, APPLICATION, SECURITY, DATA, PERFORMANCE, AVAILABILITY or COMPLIANCE; or 1 to 7.")
  Integer type;

  @Option(names = "--label", paramLabel = "K=V", description = "What it is about. Repeatable.")
  Map<String, String> labels = new LinkedHashMap<>();

  @Option(
      names = "--annotation",
      paramLabel = "K=V",
      description = "What helps to understand it. Repeatable.")
  Map<String, String> annotations = new LinkedHashMap<>();

  @Option(names = "--resource", paramLabel = "NAME", description = "What is hit. Repeatable.")
  List<String> resources = List.of();

  @Option(
      names = "--dedup-key",
      paramLabel = "KEY",
      description = "Names the condition in place of title and labels.")
  String dedupKey;

  @Option(names = "--resolved", description = "The condition has ended.")
  boolean resolved;

  @Option(
      names = "--fired-at",
      paramLabel = "TIME",
      converter = Times.class,
      description = "When it was seen, as 2026-11-21T03:04:05Z. Default: now.")
  Timestamp firedAt;

  @Option(
      names = "--ends-at",
      paramLabel = "TIME",
      converter = Times.class,
      description = "When it ended, or will have.")
  Timestamp endsAt;

  @Override
  public Integer call() {
    TocsinMain tocsin = TocsinMain.above(spec);
    AlertMessage alert = alert();
    try (Server server = tocsin.server()) {
      AlertAck ack = server.alerts().submitAlert(alert);
      boolean asJson = json != null || tocsin.json;
      tocsin.terminal().out().println(asJson ? ProtoJson.line(ack) : text(ack));
      if (ack.getStatus() != AlertAck.Status.ACCEPTED) {
        tocsin.terminal().say("tocsin: the alert was not accepted: " + ack.getStatus());
        return Failure.WORK_FAILED;
      }
      return 0;
    }
  }

  /** The alert that the command line describes; what it lacks is the server's to name. */
  private AlertMessage alert() {
    AlertMessage.Builder alert = AlertMessage.newBuilder();
    if (json != null && !json.equals(OUTPUT_ONLY)) {
      try {
        ProtoJson.merge(json, alert);
      } catch (IllegalArgumentException e) {
        throw new ParameterException(
            spec.commandLine(), "--json: no alert: " + Terminal.clean(e.getMessage()), e);
      }
    }
    addTexts(alert);
    alert.putAllLabels(labels).putAllAnnotations(annotations).addAllAffectedResources(resources);
    if (severity != null) {
      alert.setSeverityValue(severity);
    }
    if (type != null) {
      alert.setTypeValue(type);
    }
    if (resolved) {
      alert.setStatus(AlertMessage.Status.RESOLVED);
    }
    if (firedAt != null) {
      alert.setFiredAt(firedAt);
    }
    if (endsAt != null) {
      alert.setEndsAt(endsAt);
    }
    return alert.build();
  }

  private void addTexts(AlertMessage.Builder alert) {
    if (id != null) {
      alert.setAlertId(id);
    }
    if (source != null) {
      alert.setSource(source);
    }
    if (title != null) {
      alert.setTitle(title);
    }
    if (description != null) {
      alert.setDescription(description);
    }
    if (dedupKey != null) {
      alert.setDedupKey(dedupKey);
    }
  }

  private static String text(AlertAck ack) {
    var position = ack.getPosition();
    return "%s %s  fingerprint %s  position %d/%d/%d"
        .formatted(
            ack.getStatus().name().toLowerCase(java.util.Locale.ROOT),
            Terminal.clean(ack.getAlertId()),
            Terminal.clean(ack.getFingerprint()),
            position.getPartition(),
            position.getOffset(),
            position.getIndex());
  }

  /** Instants as ISO 8601 with an offset. */
  static final class Times implements ITypeConverter<Timestamp> {
    @Override
    public Timestamp convert(String text) {
      try {
        Instant time = OffsetDateTime.parse(text).toInstant();
        return Timestamp.newBuilder()
            .setSeconds(time.getEpochSecond())
            .setNanos(time.getNano())
            .build();
      } catch (DateTimeException e) {
        throw new TypeConversionException(
            "'" + text + "' is no time with an offset, such as 2026-11-21T03:04:05Z");
      }
    }
  }
}
