package dev.tocsin.query;

import static dev.tocsin.proto.incidents.IncidentEventType.INCIDENT_EVENT_TYPE_CREATED;
import static dev.tocsin.proto.incidents.IncidentEventType.INCIDENT_EVENT_TYPE_LEFT_FILTER;
import static dev.tocsin.proto.incidents.IncidentEventType.INCIDENT_EVENT_TYPE_REMOVED;
import static dev.tocsin.proto.incidents.IncidentEventType.INCIDENT_EVENT_TYPE_RESOLVED;
import static dev.tocsin.proto.incidents.IncidentEventType.INCIDENT_EVENT_TYPE_UPDATED;
import static dev.tocsin.proto.incidents.IncidentState.INCIDENT_STATE_DETECTED;
import static dev.tocsin.proto.incidents.IncidentState.INCIDENT_STATE_RESOLVED;
import static dev.tocsin.proto.incidents.IncidentState.INCIDENT_STATE_UNSPECIFIED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Duration;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEventType;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import dev.tocsin.schemas.EventType;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StreamFilterTest {
  private static final StreamFilter DETECTED_P1 =
      new StreamFilter("w", Set.of(INCIDENT_STATE_DETECTED), Severity.SEVERITY_P1, "s", false);

  private static LiveEvent event(
      IncidentEventType type, LiveEvent.Before before, IncidentState state, Severity severity) {
    return event("w", "s", type, before, state, severity);
  }

  private static LiveEvent event(
      String workspace,
      String source,
      IncidentEventType type,
      LiveEvent.Before before,
      IncidentState state,
      Severity severity) {
    Incident incident =
        Incident.newBuilder().setState(state).setSeverity(severity).setSource(source).build();
    return new LiveEvent(type, workspace, 1, 1, 1, before, incident);
  }

  private static LiveEvent.Before was(IncidentState state, Severity severity) {
    return new LiveEvent.Before(true, state, severity, false);
  }

  private static final LiveEvent.Before NOTHING =
      was(INCIDENT_STATE_UNSPECIFIED, Severity.SEVERITY_UNSPECIFIED);

  @Test
  void tells_whatMatchesAfterwards() {
    assertThat(
            DETECTED_P1.tells(
                event(
                    INCIDENT_EVENT_TYPE_CREATED,
                    NOTHING,
                    INCIDENT_STATE_DETECTED,
                    Severity.SEVERITY_P0)))
        .contains(INCIDENT_EVENT_TYPE_CREATED);
    assertThat(
            DETECTED_P1.tells(
                event(
                    INCIDENT_EVENT_TYPE_CREATED,
                    NOTHING,
                    INCIDENT_STATE_DETECTED,
                    Severity.SEVERITY_P2)))
        .isEmpty();
    assertThat(
            DETECTED_P1.tells(
                event(
                    INCIDENT_EVENT_TYPE_UPDATED,
                    was(INCIDENT_STATE_DETECTED, Severity.SEVERITY_P2),
                    INCIDENT_STATE_DETECTED,
                    Severity.SEVERITY_P1)))
        .as("it came in")
        .contains(INCIDENT_EVENT_TYPE_UPDATED);
  }

  @Test
  void tells_thatItLeft() {
    assertThat(
            DETECTED_P1.tells(
                event(
                    INCIDENT_EVENT_TYPE_RESOLVED,
                    was(INCIDENT_STATE_DETECTED, Severity.SEVERITY_P1),
                    INCIDENT_STATE_RESOLVED,
                    Severity.SEVERITY_P1)))
        .contains(INCIDENT_EVENT_TYPE_LEFT_FILTER);
    assertThat(
            DETECTED_P1.tells(
                event(
                    INCIDENT_EVENT_TYPE_RESOLVED,
                    was(INCIDENT_STATE_DETECTED, Severity.SEVERITY_P3),
                    INCIDENT_STATE_RESOLVED,
                    Severity.SEVERITY_P3)))
        .as("it was never in")
        .isEmpty();
  }

  @Test
  void tells_thatItWasRemovedIfItMatched() {
    LiveEvent removed =
        event(
            INCIDENT_EVENT_TYPE_REMOVED,
            was(INCIDENT_STATE_DETECTED, Severity.SEVERITY_P1),
            INCIDENT_STATE_DETECTED,
            Severity.SEVERITY_P1);
    assertThat(DETECTED_P1.tells(removed)).contains(INCIDENT_EVENT_TYPE_REMOVED);
    assertThat(
            DETECTED_P1.tells(
                event(
                    INCIDENT_EVENT_TYPE_REMOVED,
                    was(INCIDENT_STATE_RESOLVED, Severity.SEVERITY_P1),
                    INCIDENT_STATE_RESOLVED,
                    Severity.SEVERITY_P1)))
        .isEmpty();
  }

  @Test
  void tells_nothingOfAnotherWorkspaceOrSource() {
    LiveEvent.Before matched = was(INCIDENT_STATE_DETECTED, Severity.SEVERITY_P1);
    for (List<String> from : List.of(List.of("x", "s"), List.of("w", "x"))) {
      assertThat(
              DETECTED_P1.tells(
                  event(
                      from.get(0),
                      from.get(1),
                      INCIDENT_EVENT_TYPE_UPDATED,
                      matched,
                      INCIDENT_STATE_DETECTED,
                      Severity.SEVERITY_P1)))
          .isEmpty();
    }
  }

  @Test
  void tells_thatItLeftWhereNobodyKnowsWhatItWas() {
    assertThat(
            DETECTED_P1.tells(
                event(
                    INCIDENT_EVENT_TYPE_UPDATED,
                    new LiveEvent.Before(
                        false, INCIDENT_STATE_UNSPECIFIED, Severity.SEVERITY_P4, false),
                    INCIDENT_STATE_RESOLVED,
                    Severity.SEVERITY_P1)))
        .contains(INCIDENT_EVENT_TYPE_LEFT_FILTER);
  }

  @Test
  void tells_thatItLeftWhereItComesToBeInhibited_andThatItIsThereWhereItCeasesTo() {
    StreamFilter all = new StreamFilter("w", Set.of(), Severity.SEVERITY_UNSPECIFIED, "", true);
    StreamFilter shown = new StreamFilter("w", Set.of(), Severity.SEVERITY_UNSPECIFIED, "", false);
    LiveEvent hidden = suppression(false, true);
    LiveEvent seen = suppression(true, false);
    LiveEvent still = suppression(true, true);
    assertThat(LiveEvent.suppressed(Incident.newBuilder().setSilencedBy("x").build())).isTrue();
    assertThat(shown.tells(hidden)).contains(INCIDENT_EVENT_TYPE_LEFT_FILTER);
    assertThat(shown.tells(seen)).contains(INCIDENT_EVENT_TYPE_UPDATED);
    assertThat(shown.tells(still)).isEmpty();
    for (LiveEvent each : List.of(hidden, seen, still)) {
      assertThat(all.tells(each)).contains(INCIDENT_EVENT_TYPE_UPDATED);
    }
  }

  private static LiveEvent suppression(boolean before, boolean after) {
    Incident incident =
        Incident.newBuilder()
            .setState(INCIDENT_STATE_DETECTED)
            .setSeverity(Severity.SEVERITY_P2)
            .setInhibitedBy(after ? "another" : "")
            .build();
    return new LiveEvent(
        INCIDENT_EVENT_TYPE_UPDATED,
        "w",
        1,
        1,
        1,
        new LiveEvent.Before(true, INCIDENT_STATE_DETECTED, Severity.SEVERITY_P2, before),
        incident);
  }

  @Test
  void minSeverity_ofSeveralIsTheLeastBad() {
    StreamQuery query =
        StreamQuery.read(
            StreamIncidentsRequest.newBuilder()
                .addMinSeverity(Severity.SEVERITY_P0)
                .addMinSeverity(Severity.SEVERITY_P2)
                .addMinSeverity(Severity.SEVERITY_P1)
                .build(),
            "w");
    assertThat(query.filter().minSeverity()).isEqualTo(Severity.SEVERITY_P2);
    assertThat(query.heartbeat()).isEqualTo(java.time.Duration.ofSeconds(15));
  }

  @Test
  void request_isRefusedWithEveryViolation() {
    StatusRuntimeException refused =
        refused(
            StreamIncidentsRequest.newBuilder()
                .addStatesValue(0)
                .addStatesValue(99)
                .addMinSeverityValue(6)
                .setSource("x".repeat(257))
                .setHeartbeatInterval(Duration.newBuilder().setNanos(999_999_999))
                .build());
    assertThat(ServedQuery.violations(refused))
        .containsOnlyKeys(
            "states[0]", "states[1]", "min_severity[0]", "source", "heartbeat_interval");
  }

  @Test
  void heartbeat_isFromOneSecondToFiveMinutes() {
    for (Duration.Builder bad :
        List.of(
            Duration.newBuilder().setSeconds(-1),
            Duration.newBuilder().setSeconds(Long.MAX_VALUE),
            Duration.newBuilder().setSeconds(Long.MIN_VALUE),
            Duration.newBuilder().setSeconds(300).setNanos(1),
            Duration.newBuilder().setSeconds(1).setNanos(-1))) {
      assertThat(
              ServedQuery.violations(
                  refused(StreamIncidentsRequest.newBuilder().setHeartbeatInterval(bad).build())))
          .containsOnlyKeys("heartbeat_interval");
    }
    for (int seconds : List.of(1, 300)) {
      StreamQuery query =
          StreamQuery.read(
              StreamIncidentsRequest.newBuilder()
                  .setHeartbeatInterval(Duration.newBuilder().setSeconds(seconds))
                  .build(),
              "w");
      assertThat(query.heartbeat()).isEqualTo(java.time.Duration.ofSeconds(seconds));
    }
  }

  private static StatusRuntimeException refused(StreamIncidentsRequest request) {
    return catchThrowableOfType(StatusRuntimeException.class, () -> StreamQuery.read(request, "w"));
  }

  @ParameterizedTest
  @EnumSource(EventType.class)
  void type_hasItsNamesakeOrIsAnUpdate(EventType type) {
    assertThat(LiveEvent.type(type).name())
        .isEqualTo("INCIDENT_EVENT_TYPE_" + (type == EventType.OTHER ? "UPDATED" : type));
  }

  @Test
  void digest_tellsFiltersApart() {
    StreamFilter other =
        new StreamFilter("w", Set.of(INCIDENT_STATE_DETECTED), Severity.SEVERITY_P2, "s", false);
    StreamFilter elsewhere =
        new StreamFilter("x", DETECTED_P1.states(), DETECTED_P1.minSeverity(), "s", false);
    assertThat(other.digest()).isNotEqualTo(DETECTED_P1.digest());
    assertThat(elsewhere.digest()).isEqualTo(DETECTED_P1.digest());
    assertThat(
            new StreamFilter("w", DETECTED_P1.states(), DETECTED_P1.minSeverity(), "s", true)
                .digest())
        .isNotEqualTo(DETECTED_P1.digest());
    assertThat(elsewhere.workspaceDigest()).isNotEqualTo(DETECTED_P1.workspaceDigest());
  }
}
