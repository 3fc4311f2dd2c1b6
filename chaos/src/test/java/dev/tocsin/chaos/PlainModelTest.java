package dev.tocsin.chaos;

import static dev.tocsin.chaos.Step.Kind.FIRING;
import static dev.tocsin.chaos.Step.Kind.INVESTIGATE;
import static dev.tocsin.chaos.Step.Kind.NOTE;
import static dev.tocsin.chaos.Step.Kind.RESOLVE;
import static dev.tocsin.chaos.Step.Kind.RESOLVED;
import static dev.tocsin.chaos.Step.Kind.TRIAGE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.chaos.PlainModel.Seen;
import dev.tocsin.proto.alerts.Severity;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlainModelTest {
  private final List<Step> steps = new ArrayList<>();

  @Test
  void repeats_count_andWhatIsSentAgainDoesNot() {
    done(FIRING, 0, "a");
    done(FIRING, 0, "b");
    done(FIRING, 0, "a");
    done(FIRING, 1, "c");

    assertThat(incidents())
        .containsExactly(new Seen("DETECTED", Severity.SEVERITY_P3, 3, 2, 2, 0, 0));
  }

  @Test
  void firingAndResolved_underOneId_areTwo() {
    done(FIRING, 0, "a");
    done(RESOLVED, 0, "a");

    assertThat(incidents())
        .containsExactly(new Seen("RESOLVED", Severity.SEVERITY_P4, 1, 1, 0, 0, 0));
  }

  @Test
  void resolvedByItsAlerts_isReopened_byOneOfItsConditionsOrAnother() {
    done(FIRING, 0, "a");
    done(RESOLVED, 0, "b");
    done(FIRING, 0, "c");
    done(RESOLVED, 0, "d");
    done(FIRING, 1, "e");

    assertThat(incidents())
        .containsExactly(new Seen("INVESTIGATING", Severity.SEVERITY_P3, 3, 2, 1, 2, 0));
  }

  @Test
  void resolvedByAPerson_mutesWhatWasActive_untilItEnds() {
    done(FIRING, 0, "a");
    done(RESOLVE, 0, "r");
    done(FIRING, 0, "b");
    done(FIRING, 1, "c");
    done(RESOLVED, 0, "d");
    done(FIRING, 0, "e");

    assertThat(incidents())
        .containsExactly(
            new Seen("RESOLVED", Severity.SEVERITY_P4, 1, 1, 0, 0, 0),
            new Seen("DETECTED", Severity.SEVERITY_P3, 2, 2, 2, 0, 0));
  }

  @Test
  void anEndThatMatchesNothing_doesNothing() {
    done(RESOLVED, 2, "a");
    done(FIRING, 0, "b");
    done(RESOLVED, 1, "c");

    assertThat(incidents())
        .containsExactly(new Seen("DETECTED", Severity.SEVERITY_P4, 1, 1, 1, 0, 0));
  }

  @Test
  void commands_changeTheNewestIncident() {
    done(FIRING, 4, "a");
    done(TRIAGE, 0, "t");
    done(NOTE, 0, "n");
    done(INVESTIGATE, 0, "i");

    assertThat(incidents())
        .containsExactly(new Seen("INVESTIGATING", Severity.SEVERITY_P0, 1, 1, 1, 0, 1));
  }

  @Test
  void refused_countsNever_andUnknownPerhaps() {
    done(FIRING, 0, "a");
    steps.add(new Step(FIRING, 0, "b", 1).refused());
    steps.add(new Step(FIRING, 0, "c", 1).unknown());

    assertThat(PlainModel.outcomes(steps).stream().map(PlainModel::incidents))
        .containsExactly(
            List.of(new Seen("DETECTED", Severity.SEVERITY_P4, 1, 1, 1, 0, 0)),
            List.of(new Seen("DETECTED", Severity.SEVERITY_P4, 2, 1, 1, 0, 0)));
  }

  private void done(Step.Kind kind, int condition, String id) {
    steps.add(new Step(kind, condition, id, 1).done(null));
  }

  private List<Seen> incidents() {
    List<PlainModel> outcomes = PlainModel.outcomes(steps);
    assertThat(outcomes).hasSize(1);
    return outcomes.get(0).incidents();
  }
}
