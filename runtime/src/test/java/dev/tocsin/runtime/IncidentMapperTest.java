package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentType;
import dev.tocsin.proto.incidents.TimelineEntry;
import dev.tocsin.schemas.GeneratedClasses;
import dev.tocsin.schemas.IncidentAlert;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Note;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Tally;
import dev.tocsin.schemas.TimelineKind;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class IncidentMapperTest {
  static {
    GeneratedClasses.trust();
  }

  @ParameterizedTest
  @EnumSource(Severity.class)
  void severity_hasItsNamesake(Severity severity) {
    assertThat(IncidentMapper.severity(severity).name()).isEqualTo("SEVERITY_" + severity);
  }

  @ParameterizedTest
  @EnumSource(IncidentState.class)
  void state_hasItsNamesakeOrIsNone(IncidentState state) {
    assertThat(IncidentMapper.state(state).name())
        .isEqualTo(
            "INCIDENT_STATE_" + (state == IncidentState.NONE ? "UNSPECIFIED" : state.name()));
  }

  @ParameterizedTest
  @EnumSource(dev.tocsin.schemas.IncidentType.class)
  void type_hasItsNamesakeOrIsNone(dev.tocsin.schemas.IncidentType type) {
    var incident = incident();
    incident.setType(type);
    IncidentType shown = IncidentMapper.toProto(incident, tally(), 0).getType();
    boolean none = type == dev.tocsin.schemas.IncidentType.UNKNOWN;
    assertThat(shown)
        .isEqualTo(
            none
                ? IncidentType.forNumber(0)
                : IncidentType.valueOf("INCIDENT_TYPE_" + type.name()));
  }

  @ParameterizedTest
  @EnumSource(TimelineKind.class)
  void timelineKind_hasItsNamesakeOrIsNone(TimelineKind kind) {
    var incident = incident();
    incident.setTimeline(List.of(new dev.tocsin.schemas.TimelineEntry(1L, kind, 2L, 3, "t", "")));
    TimelineEntry line = IncidentMapper.toProto(incident, tally(), 4).getTimeline(0);
    assertThat(line.getKind().name())
        .isEqualTo(kind == TimelineKind.OTHER ? "KIND_UNSPECIFIED" : kind.name());
    assertThat(line.getPosition().getPartition()).isEqualTo(4);
    assertThat(line.getPosition().getOffset()).isEqualTo(2);
    assertThat(line.getPosition().getIndex()).isEqualTo(3);
  }

  @Test
  void timeline_ofTimeItselfHasNoPosition() {
    var incident = incident();
    incident.setTimeline(
        List.of(new dev.tocsin.schemas.TimelineEntry(1L, TimelineKind.CLOSED, -1L, 0, "", "")));
    Incident shown = IncidentMapper.toProto(incident, tally(), 4);
    assertThat(shown.getTimeline(0).hasPosition()).isFalse();
  }

  @Test
  void toProto_carriesWhatIsKept() {
    var incident = incident();
    incident.setAlerts(List.of(new IncidentAlert(key(255), "a1", "title", Severity.P1, 1_500L)));
    Incident shown = IncidentMapper.toProto(incident, tally(), 2);
    assertThat(shown.getId()).isEqualTo(IncidentId.text(incident.getId()));
    assertThat(shown.getOccurrences()).isEqualTo(7);
    assertThat(shown.getLastSeen().getSeconds()).isEqualTo(9);
    assertThat(shown.getLastSeen().getNanos()).isEqualTo(8_000_000);
    assertThat(shown.hasResolvedAt()).isFalse();
    assertThat(shown.getOpenedAtPosition().getPartition()).isEqualTo(2);
    assertThat(shown.getAlerts(0).getFingerprint()).isEqualTo("0".repeat(30) + "ff");
    assertThat(shown.getLabelsMap()).containsEntry("service", "x");
    assertThat(shown.getNotesCount()).isZero();
    assertThat(shown.getRule()).isEmpty();
    assertThat(shown.getFlapping()).isFalse();
    assertThat(shown.getInhibitedBy()).isEmpty();
    assertThat(shown.getSilencedBy()).isEmpty();
    assertThat(shown.hasSilencedUntil()).isFalse();
    assertThat(shown.getMergedInto()).isEmpty();
    incident.setMergedInto(IncidentId.of(1_000, 5, 9));
    incident.setMergedFrom(List.of(IncidentId.of(1_000, 5, 10)));
    assertThat(IncidentMapper.toProto(incident, tally(), 2).getMergedInto())
        .isEqualTo(IncidentId.text(IncidentId.of(1_000, 5, 9)));
    assertThat(IncidentMapper.toProto(incident, tally(), 2).getMergedFromList())
        .containsExactly(IncidentId.text(IncidentId.of(1_000, 5, 10)));
    incident.setSilencedBy(IncidentId.of(1_000, 5, 8));
    incident.setSilencedUntilMs(9_000L);
    assertThat(IncidentMapper.toProto(incident, tally(), 2).getSilencedBy())
        .isEqualTo(IncidentId.text(IncidentId.of(1_000, 5, 8)));
    assertThat(IncidentMapper.toProto(incident, tally(), 2).getSilencedUntil().getSeconds())
        .isEqualTo(9);
    incident.setInhibitedBy(IncidentId.of(1_000, 5, 7));
    assertThat(IncidentMapper.toProto(incident, tally(), 2).getInhibitedBy())
        .isEqualTo(IncidentId.text(IncidentId.of(1_000, 5, 7)));
    incident.setFlapping(true);
    assertThat(IncidentMapper.toProto(incident, tally(), 2).getFlapping()).isTrue();
    incident.setResolvedAtMs(10_000L);
    assertThat(IncidentMapper.toProto(incident, tally(), 2).getResolvedAt().getSeconds())
        .isEqualTo(10);
  }

  @Test
  void toProto_carriesWhatPeopleDid() {
    var incident = incident();
    incident.setNotes(List.of(new Note(1_500L, "anna", "seen"), new Note(2_500L, "ben", "mended")));
    incident.setNotesAdded(7L);
    incident.setRule("by-team");
    incident.setTimeline(
        List.of(
            new dev.tocsin.schemas.TimelineEntry(1L, TimelineKind.ASSIGNED, 2L, 0, "ben", "anna")));
    Incident shown = IncidentMapper.toProto(incident, tally(), 2);
    assertThat(shown.getNotesAdded()).isEqualTo(7);
    assertThat(shown.getNotes(1).getAuthor()).isEqualTo("ben");
    assertThat(shown.getNotes(1).getText()).isEqualTo("mended");
    assertThat(shown.getNotes(1).getAt().getSeconds()).isEqualTo(2);
    assertThat(shown.getRule()).isEqualTo("by-team");
    assertThat(shown.getTimeline(0).getActor()).isEqualTo("anna");
    assertThat(shown.getTimeline(0).getKind()).isEqualTo(TimelineEntry.Kind.ASSIGNED);
  }

  private static Key128 key(int last) {
    byte[] bytes = new byte[16];
    bytes[15] = (byte) last;
    return new Key128(bytes);
  }

  private static Tally tally() {
    return Tally.newBuilder().setOccurrences(7).setLastSeenMs(9_008).build();
  }

  static dev.tocsin.schemas.Incident incident() {
    return dev.tocsin.schemas.Incident.newBuilder()
        .setId(IncidentId.of(1_000, 5, 6))
        .setWorkspace("default")
        .setGroup(key(2))
        .setRoute(5)
        .setTitle("title")
        .setSeverity(Severity.P2)
        .setType(dev.tocsin.schemas.IncidentType.APPLICATION)
        .setState(IncidentState.DETECTED)
        .setSource("source")
        .setLabels(Map.of("service", "x"))
        .setCreatedAtMs(1_000)
        .setUpdatedAtMs(1_000)
        .setOpenedOffset(6)
        .setOpenedIndex(0)
        .setRulesVersion(1)
        .setRevision(1)
        .setDistinctAlerts(1)
        .setActiveAlerts(1)
        .build();
  }
}
