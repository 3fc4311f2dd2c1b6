package dev.tocsin.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.Silence;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The check of who is hidden. */
class SilenceDeskTest {
  private static final Silence SILENCE =
      Silence.newBuilder().setId("one").addMatchers("labels.service =~ \"s[0-9]*3\"").build();

  @Test
  void openOnesThatMatch_andNoOthers_areHidden() {
    Incident hidden = incident("s13", IncidentState.INCIDENT_STATE_DETECTED, "one");
    Incident other = incident("s12", IncidentState.INCIDENT_STATE_DETECTED, "");
    Incident over = incident("s23", IncidentState.INCIDENT_STATE_RESOLVED, "");
    assertThat(SilenceDesk.wrong(SILENCE, List.of(hidden, other, over))).isEmpty();
    for (Incident wrong :
        List.of(
            hidden.toBuilder().clearSilencedBy().build(),
            hidden.toBuilder().setSilencedBy("two").build(),
            other.toBuilder().setSilencedBy("one").build(),
            over.toBuilder().setSilencedBy("one").build())) {
      assertThat(SilenceDesk.wrong(SILENCE, List.of(hidden, wrong))).contains(wrong);
    }
    assertThat(SilenceDesk.wrong(null, List.of(other, hidden))).contains(hidden);
  }

  private static Incident incident(String service, IncidentState state, String silencedBy) {
    return Incident.newBuilder()
        .putLabels("service", service)
        .setState(state)
        .setSilencedBy(silencedBy)
        .build();
  }
}
