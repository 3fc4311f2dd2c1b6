package dev.tocsin.processor;

import com.google.protobuf.Timestamp;
import dev.tocsin.engine.AlertEffect;
import dev.tocsin.engine.Conditions;
import dev.tocsin.engine.Receipt;
import dev.tocsin.engine.Receipts;
import dev.tocsin.engine.Stamper;
import dev.tocsin.proto.incidents.AlertSighting;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.state.ReadSightingsRequest;
import dev.tocsin.proto.state.ReadSightingsResponse;
import dev.tocsin.runtime.IncidentMapper;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.LoggedAlert;
import java.util.HexFormat;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Tells of an alert's sightings in one partition: finds its receipts, reads the alert again from
 * the log, and tells from both, and from the state of now, what came of it.
 */
final class SightingReader {
  /** Of more sightings the newest are told. */
  static final int SIGHTINGS_MAX = 100;

  private static final HexFormat HEX = HexFormat.of();

  /** An entry of alerts, as it stands on the log. */
  private record Logged(long atMs, Alerts alerts) {}

  private final Codec<LogEntry> codec;
  private final PartitionView view;
  private final ReadSightingsRequest request;
  private final EntryReader.Entries log;
  private long offset = -1;
  private Optional<Logged> entry = Optional.empty();

  private SightingReader(
      Codec<LogEntry> codec,
      PartitionView view,
      ReadSightingsRequest request,
      EntryReader.Entries log) {
    this.codec = codec;
    this.view = view;
    this.request = request;
    this.log = log;
  }

  /** The receipts of the alert that is asked for, and perhaps others that only look like them. */
  static Receipts.Found find(PartitionView view, ReadSightingsRequest request) {
    int alert =
        Stamper.receiptAlert(request.getWorkspace(), request.getSource(), request.getAlertId());
    return view.store().receipts().find(alert, SIGHTINGS_MAX);
  }

  /** The answer where nothing is found. */
  static ReadSightingsResponse nothing(PartitionView view) {
    return response(view).build();
  }

  /**
   * The answer of what was found.
   *
   * @throws io.grpc.StatusRuntimeException UNAVAILABLE, if the log does not answer in time
   */
  static ReadSightingsResponse read(
      Codec<LogEntry> codec,
      PartitionView view,
      ReadSightingsRequest request,
      Receipts.Found found,
      EntryReader.Entries log) {
    SightingReader reader = new SightingReader(codec, view, request, log);
    ReadSightingsResponse.Builder response = response(view);
    for (Receipt each : found.newest()) {
      reader.sighting(each).ifPresent(response::addSightings);
    }
    return response.setLeftOut(found.total() - found.newest().size()).build();
  }

  private static ReadSightingsResponse.Builder response(PartitionView view) {
    return ReadSightingsResponse.newBuilder()
        .setAppliedOffset(view.appliedOffset())
        .setReceiptWindowMs(view.store().rules().getReceiptWindowMs());
  }

  /** Empty if it is of another alert, which has the same hash. */
  private Optional<AlertSighting> sighting(Receipt seen) {
    AlertSighting.Builder told = AlertSighting.newBuilder();
    if (seen.effect() == AlertEffect.UNKNOWN) {
      return Optional.of(told.setExplanation(AlertStory.EFFECT_NOT_KEPT).build());
    }
    told.setEffect(AlertSighting.Effect.valueOf(seen.effect().name()))
        .setPosition(
            Position.newBuilder()
                .setPartition(view.partition())
                .setOffset(seen.offset())
                .setIndex(seen.index()));
    readEntry(seen.offset());
    if (entry.isEmpty()) {
      return Optional.of(told.setExplanation(AlertStory.NOT_ON_THE_LOG).build());
    }
    Alerts alerts = entry.get().alerts();
    Alert alert = alerts.getAlerts().get(seen.index());
    return isAskedFor(alert)
        ? Optional.of(tell(told, seen, alert, alerts.getRulesVersion()))
        : Optional.empty();
  }

  private boolean isAskedFor(Alert alert) {
    return alert.getWorkspace().equals(request.getWorkspace())
        && alert.getSource().equals(request.getSource())
        && alert.getAlertId().equals(request.getAlertId());
  }

  /** Sightings come by position, so those of one entry come together. */
  private void readEntry(long wanted) {
    if (wanted != offset) {
      entry = log.read(view.partition(), wanted).map(this::logged);
      offset = wanted;
    }
  }

  private Logged logged(ConsumerRecord<byte[], byte[]> found) {
    return new Logged(found.timestamp(), (Alerts) codec.decode(found.value()).getPayload());
  }

  private AlertSighting tell(AlertSighting.Builder told, Receipt seen, Alert alert, int rules) {
    Optional<FingerprintState> condition =
        view.store().readCondition(Conditions.key(LoggedAlert.of(alert)));
    Incident ofCondition =
        condition.map(FingerprintState::getIncident).map(this::read).orElse(null);
    Incident ofGroup =
        view.store()
            .readGroup(alert.getGroup())
            .map(GroupState::getIncident)
            .map(this::read)
            .orElse(null);
    Optional<Incident> incident =
        SightedIncident.of(seen, entry.orElseThrow().atMs(), ofCondition, ofGroup);
    AlertStory story =
        new AlertStory(
            view.partition(), seen, alert, rules, view.store().rules(), condition, incident);
    if (alert.getEndsAtMs() != 0) {
      told.setEndsAt(time(alert.getEndsAtMs()));
    }
    return told.setExplanation(story.text())
        .setIncidentId(incident.map(known -> IncidentId.text(known.getId())).orElse(""))
        .setLoggedAt(time(entry.orElseThrow().atMs()))
        .setReceivedAt(time(alert.getReceivedAtMs()))
        .setFiredAt(time(alert.getFiredAtMs()))
        .setStatus(
            alert.getStatus() == AlertStatus.FIRING
                ? AlertSighting.Status.FIRING
                : AlertSighting.Status.RESOLVED)
        .setTitle(alert.getTitle())
        .setSeverity(IncidentMapper.severity(alert.getSeverity()))
        .setFingerprint(HEX.formatHex(alert.getFingerprint().bytes()))
        .setGroup(HEX.formatHex(alert.getGroup().bytes()))
        .setRule(alert.getRule())
        .setRulesVersion(rules)
        .build();
  }

  private Incident read(Key128 id) {
    return view.read(id).map(Tallied::incident).orElse(null);
  }

  private static Timestamp time(long ms) {
    return IncidentMapper.time(ms);
  }
}
