package dev.tocsin.runtime;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentAlert;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.IncidentType;
import dev.tocsin.proto.incidents.Note;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.incidents.TimelineEntry;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Tally;
import dev.tocsin.schemas.TimelineKind;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;

/**
 * From an incident as it is kept, in stores and on the events topic, to the one that callers see.
 * Enums correspond by name; a test holds that. Thread-safe.
 */
public final class IncidentMapper {
  private static final Map<dev.tocsin.schemas.Severity, Severity> SEVERITIES =
      byName(
          dev.tocsin.schemas.Severity.class,
          Severity.class,
          "SEVERITY_",
          Severity.SEVERITY_UNSPECIFIED);
  private static final Map<dev.tocsin.schemas.IncidentType, IncidentType> TYPES =
      byName(
          dev.tocsin.schemas.IncidentType.class,
          IncidentType.class,
          "INCIDENT_TYPE_",
          IncidentType.INCIDENT_TYPE_UNSPECIFIED);
  private static final Map<dev.tocsin.schemas.IncidentState, IncidentState> STATES =
      byName(
          dev.tocsin.schemas.IncidentState.class,
          IncidentState.class,
          "INCIDENT_STATE_",
          IncidentState.INCIDENT_STATE_UNSPECIFIED);
  private static final Map<TimelineKind, TimelineEntry.Kind> KINDS =
      byName(TimelineKind.class, TimelineEntry.Kind.class, "", TimelineEntry.Kind.KIND_UNSPECIFIED);

  private IncidentMapper() {}

  /**
   * The incident as callers see it.
   *
   * @param tally what repeats have made of it
   * @param partition of the log that it is in
   */
  public static Incident toProto(dev.tocsin.schemas.Incident incident, Tally tally, int partition) {
    Incident.Builder to =
        Incident.newBuilder()
            .setId(IncidentId.text(incident.getId()))
            .setTitle(incident.getTitle())
            .setDescription(incident.getDescription())
            .setSeverity(severity(incident.getSeverity()))
            .setType(TYPES.get(incident.getType()))
            .setState(state(incident.getState()))
            .setSource(incident.getSource())
            .putAllLabels(incident.getLabels())
            .putAllMetadata(incident.getMetadata())
            .addAllAffectedResources(incident.getAffectedResources())
            .setAssignee(incident.getAssignee())
            .setOccurrences(tally.getOccurrences())
            .setDistinctAlerts(incident.getDistinctAlerts())
            .setActiveAlerts(incident.getActiveAlerts())
            .setRevision(incident.getRevision())
            .setRulesVersion(incident.getRulesVersion())
            .setRule(incident.getRule())
            .setLastSeen(time(tally.getLastSeenMs()))
            .setReopened(incident.getReopened())
            .setTimelineDropped(incident.getTimelineDropped())
            .setNotesAdded(incident.getNotesAdded())
            .setFlapping(incident.getFlapping());
    if (incident.getCreatedAtMs() != 0) { // else an event that tells of a repeat, and no more
      to.setCreatedAt(time(incident.getCreatedAtMs()))
          .setUpdatedAt(time(incident.getUpdatedAtMs()))
          .setFirstSeen(time(incident.getCreatedAtMs()))
          .setOpenedAtPosition(
              position(partition, incident.getOpenedOffset(), incident.getOpenedIndex()));
    }
    if (incident.getInhibitedBy() != null) {
      to.setInhibitedBy(IncidentId.text(incident.getInhibitedBy()));
    }
    if (incident.getMergedInto() != null) {
      to.setMergedInto(IncidentId.text(incident.getMergedInto()));
    }
    incident.getMergedFrom().forEach(each -> to.addMergedFrom(IncidentId.text(each)));
    if (incident.getSilencedBy() != null) {
      to.setSilencedBy(IncidentId.text(incident.getSilencedBy()));
      to.setSilencedUntil(time(incident.getSilencedUntilMs()));
    }
    if (incident.getResolvedAtMs() != 0) {
      to.setResolvedAt(time(incident.getResolvedAtMs()));
    }
    incident.getAlerts().forEach(alert -> to.addAlerts(alert(alert)));
    incident.getTimeline().forEach(line -> to.addTimeline(line(line, partition)));
    incident.getNotes().forEach(note -> to.addNotes(note(note)));
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
            .setKind(KINDS.get(line.getKind()))
            .setText(line.getText())
            .setActor(line.getActor());
    if (line.getOffset() >= 0) {
      to.setPosition(position(partition, line.getOffset(), line.getIndex()));
    }
    return to.build();
  }

  private static Note note(dev.tocsin.schemas.Note note) {
    return Note.newBuilder()
        .setAt(time(note.getAtMs()))
        .setAuthor(note.getAuthor())
        .setText(note.getText())
        .build();
  }

  private static Position position(int partition, long offset, int index) {
    return Position.newBuilder().setPartition(partition).setOffset(offset).setIndex(index).build();
  }

  /** Its namesake. */
  public static Severity severity(dev.tocsin.schemas.Severity severity) {
    return SEVERITIES.get(severity);
  }

  /** Its namesake; UNSPECIFIED for none. */
  public static IncidentState state(dev.tocsin.schemas.IncidentState state) {
    return STATES.get(state);
  }

  /** Each constant's namesake, or {@code otherwise} for the one that means none. */
  private static <A extends Enum<A>, B extends Enum<B>> Map<A, B> byName(
      Class<A> from, Class<B> to, String prefix, B otherwise) {
    Map<String, B> names = new HashMap<>();
    EnumSet.allOf(to).forEach(each -> names.put(each.name(), each));
    Map<A, B> all = new EnumMap<>(from);
    EnumSet.allOf(from)
        .forEach(each -> all.put(each, names.getOrDefault(prefix + each.name(), otherwise)));
    return all;
  }

  /** A time in milliseconds since the epoch. */
  public static Timestamp time(long ms) {
    return Timestamp.newBuilder()
        .setSeconds(Math.floorDiv(ms, 1_000L))
        .setNanos((int) Math.floorMod(ms, 1_000L) * 1_000_000)
        .build();
  }
}
