package dev.tocsin.query;

import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEventType;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.runtime.IncidentMapper;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.Tally;

/**
 * One event of the topic, as streams need it. Immutable, and shared by all of them.
 *
 * @param before what the incident was before, if that is known
 * @param incident as it is after; of one that was removed, as it last was
 */
record LiveEvent(
    IncidentEventType type,
    String workspace,
    long logOffset,
    long sequence,
    long atMs,
    Before before,
    Incident incident) {
  private static final Codec<IncidentEvent> CODEC = Codec.of(IncidentEvent.class);

  /**
   * What a stream could choose the incident by before this event.
   *
   * @param state UNSPECIFIED where there was no incident
   */
  record Before(boolean known, IncidentState state, Severity severity, boolean suppressed) {}

  /** Whether a silence or another one hides it. */
  static boolean suppressed(Incident incident) {
    return !incident.getInhibitedBy().isEmpty() || !incident.getSilencedBy().isEmpty();
  }

  /**
   * Reads a record of the topic.
   *
   * @throws Codec.UnknownSchemaException if whoever wrote it is newer than this program
   * @throws Codec.UndecodableException if the bytes are no event
   */
  static LiveEvent read(int partition, byte[] bytes) {
    IncidentEvent event = CODEC.decode(bytes);
    Tally tally =
        Tally.newBuilder()
            .setOccurrences(event.getOccurrences())
            .setLastSeenMs(event.getLastSeenMs())
            .build();
    IncidentState stateBefore = IncidentMapper.state(event.getStateBefore());
    boolean hadNone = stateBefore == IncidentState.INCIDENT_STATE_UNSPECIFIED;
    return new LiveEvent(
        type(event.getType()),
        event.getIncident().getWorkspace(),
        event.getLogOffset(),
        event.getSequence(),
        event.getAtMs(),
        // The first version of the schema did not say what was before.
        new Before(
            !hadNone || event.getType() == EventType.CREATED,
            stateBefore,
            IncidentMapper.severity(event.getSeverityBefore()),
            event.getSuppressedBefore()),
        IncidentMapper.toProto(event.getIncident(), tally, partition));
  }

  static IncidentEventType type(EventType type) {
    return switch (type) {
      case CREATED -> IncidentEventType.INCIDENT_EVENT_TYPE_CREATED;
      case RESOLVED -> IncidentEventType.INCIDENT_EVENT_TYPE_RESOLVED;
      case REOPENED -> IncidentEventType.INCIDENT_EVENT_TYPE_REOPENED;
      case CLOSED -> IncidentEventType.INCIDENT_EVENT_TYPE_CLOSED;
      case OCCURRED -> IncidentEventType.INCIDENT_EVENT_TYPE_OCCURRED;
      case REMOVED -> IncidentEventType.INCIDENT_EVENT_TYPE_REMOVED;
      case UPDATED, OTHER -> IncidentEventType.INCIDENT_EVENT_TYPE_UPDATED;
    };
  }
}
