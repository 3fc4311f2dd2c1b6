package dev.tocsin.processor;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentAlert;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.IncidentType;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.incidents.TimelineEntry;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.TimelineKind;
import java.util.HexFormat;

/**
 * From an incident as it is kept to the one that callers see. Enums correspond by number; a test
 * holds that.
 */
final class IncidentMapper {
  private IncidentMapper() {}

  static Incident toProto(Tallied tallied, int partition) {
    dev.tocsin.schemas.Incident incident = tallied.incident();
    Incident.Builder to =
        Incident.newBuilder()
            .setId(IncidentId.text(incident.getId()))
            .setTitle(incident.getTitle())
            .setDescription(incident.getDescription())
            .setSeverity(severity(incident.getSeverity()))
            .setType(IncidentType.forNumber(incident.getType().ordinal()))
            .setState(IncidentState.forNumber(incident.getState().ordinal()))
            .setSource(incident.getSource())
            .putAllLabels(incident.getLabels())
            .putAllMetadata(incident.getMetadata())
            .addAllAffectedResources(incident.getAffectedResources())
            .setCreatedAt(time(incident.getCreatedAtMs()))
            .setUpdatedAt(time(incident.getUpdatedAtMs()))
            .setAssignee(incident.getAssignee())
            .setOccurrences(tallied.tally().getOccurrences())
            .setDistinctAlerts(incident.getDistinctAlerts())
            .setActiveAlerts(incident.getActiveAlerts())
            .setRevision(incident.getRevision())
            .setRulesVersion(incident.getRulesVersion())
            .setFirstSeen(time(incident.getCreatedAtMs()))
            .setLastSeen(time(tallied.tally().getLastSeenMs()))
            .setReopened(incident.getReopened())
            .setOpenedAtPosition(
                position(partition, incident.getOpenedOffset(), incident.getOpenedIndex()))
            .setTimelineDropped(incident.getTimelineDropped());
    if (incident.getResolvedAtMs() != 0) {
      to.setResolvedAt(time(incident.getResolvedAtMs()));
    }
    incident.getAlerts().forEach(alert -> to.addAlerts(alert(alert)));
    incident.getTimeline().forEach(line -> to.addTimeline(line(line, partition)));
    return to.build();
  }

  private static IncidentAlert alert(dev.tocsin.schemas.IncidentAlert alert) {
    return IncidentAlert.newBuilder()
        .setFingerprint(HexFormat.of().formatHex(alert.getFingerprint().bytes()))
        .setAlertId(alert.getAlertId())
        .setTitle(alert.getTitle())
        .setSeverity(severity(alert.getSeverity()))
        .setJoinedAt(time(alert.getJoinedAtMs()))
        .build();
  }

  private static TimelineEntry line(dev.tocsin.schemas.TimelineEntry line, int partition) {
    TimelineEntry.Builder to =
        TimelineEntry.newBuilder()
            .setAt(time(line.getAtMs()))
            .setKind(kind(line.getKind()))
            .setText(line.getText());
    if (line.getOffset() >= 0) {
      to.setPosition(position(partition, line.getOffset(), line.getIndex()));
    }
    return to.build();
  }

  private static Position position(int partition, long offset, int index) {
    return Position.newBuilder().setPartition(partition).setOffset(offset).setIndex(index).build();
  }

  private static Severity severity(dev.tocsin.schemas.Severity severity) {
    return Severity.forNumber(severity.ordinal());
  }

  private static TimelineEntry.Kind kind(TimelineKind kind) {
    return TimelineEntry.Kind.forNumber(kind.ordinal());
  }

  private static Timestamp time(long ms) {
    return Timestamp.newBuilder()
        .setSeconds(Math.floorDiv(ms, 1_000L))
        .setNanos((int) Math.floorMod(ms, 1_000L) * 1_000_000)
        .build();
  }
}
