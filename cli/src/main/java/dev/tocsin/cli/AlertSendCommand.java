package dev.tocsin.cli;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertMessage;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
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

  @Mixin Condition condition;

  @Option(names = "--id", description = "The source's own id; sent again, it counts once.")
  String id;

  @Option(
      names = "--annotation",
      paramLabel = "K=V",
      description = "What helps to understand it. Repeatable.")
  Map<String, String> annotations = new LinkedHashMap<>();

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
    Optional.ofNullable(id).ifPresent(alert::setAlertId);
    Optional.ofNullable(condition.source).ifPresent(alert::setSource);
    Optional.ofNullable(condition.title).ifPresent(alert::setTitle);
    Optional.ofNullable(condition.description).ifPresent(alert::setDescription);
    Optional.ofNullable(condition.severity).ifPresent(alert::setSeverityValue);
    Optional.ofNullable(condition.type).ifPresent(alert::setTypeValue);
    Optional.ofNullable(dedupKey).ifPresent(alert::setDedupKey);
    Optional.ofNullable(firedAt).ifPresent(alert::setFiredAt);
    Optional.ofNullable(endsAt).ifPresent(alert::setEndsAt);
    alert
        .putAllLabels(condition.labels)
        .putAllAnnotations(annotations)
        .addAllAffectedResources(condition.resources);
    if (resolved) {
      alert.setStatus(AlertMessage.Status.RESOLVED);
    }
    return alert.build();
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
