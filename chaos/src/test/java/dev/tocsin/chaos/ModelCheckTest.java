package dev.tocsin.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Fold;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.engine.Stamper;
import dev.tocsin.proto.alerts.Position;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.runtime.IncidentMapper;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.Severity;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The check of a group's life, by the engine's own incidents and by ones that are not right. */
class ModelCheckTest {
  private static final Stamper STAMPER = new Stamper(DefaultRules.read());

  private final Differences differences =
      new Differences(
          new PrintStream(PrintStream.nullOutputStream(), true, StandardCharsets.UTF_8));
  private final ModelCheck check = new ModelCheck(differences);

  @Test
  void groups_comeToWhatTheEngineMakesOfThem() {
    for (int number = 1; number <= 200; number++) {
      Group group = live(number);
      check.compare(List.of(group), fold(group, group.steps()));
    }

    assertThat(differences.kept()).isEmpty();
  }

  @Test
  void oneThatIsLost_isADifference() {
    Group group = live(1);
    List<Step> lost = new ArrayList<>(group.steps());
    lost.remove(firstFiring(lost));
    check.compare(List.of(group), fold(group, lost));

    assertThat(differences.count()).isEqualTo(1);
  }

  @Test
  void oneThatCountsTwice_isADifference() {
    Group group = live(1);
    List<Step> doubled = new ArrayList<>(group.steps());
    Step twice = doubled.get(firstFiring(doubled));
    doubled.add(
        doubled.indexOf(twice) + 1,
        new Step(twice.kind(), twice.condition(), "another id", twice.firedAtMs()).done(null));
    check.compare(List.of(group), fold(group, doubled));

    assertThat(differences.count()).isEqualTo(1);
  }

  @Test
  void anotherState_isADifference() {
    Group group = live(1);
    List<Incident> told = new ArrayList<>(fold(group, group.steps()));
    told.set(0, told.get(0).toBuilder().setState(IncidentState.INCIDENT_STATE_REMEDIATING).build());
    check.compare(List.of(group), told);

    assertThat(differences.count()).isEqualTo(1);
  }

  @Test
  void incidentThatIsMissing_orNobodySent_isADifference() {
    Group group = live(1);
    check.compare(List.of(group), List.of());
    check.compare(List.of(), fold(group, group.steps()));

    assertThat(differences.count()).isEqualTo(2);
  }

  @Test
  void unknownAlert_mayCountOnce_andNotTwice() {
    Group group = live(1);
    Step last = new Step(Step.Kind.FIRING, 0, "last", Long.MAX_VALUE / 2);
    List<Step> steps = new ArrayList<>(group.steps());
    steps.add(last.unknown());
    List<Step> counted = new ArrayList<>(group.steps());
    counted.add(last.done(null));
    List<Step> twice = new ArrayList<>(counted);
    twice.add(new Step(Step.Kind.FIRING, 0, "last again", Long.MAX_VALUE / 2).done(null));

    check.compare(group.name(), steps, fold(group, group.steps()));
    check.compare(group.name(), steps, fold(group, counted));
    assertThat(differences.kept()).isEmpty();
    check.compare(group.name(), steps, fold(group, twice));
    assertThat(differences.count()).isEqualTo(1);
  }

  /** A group whose every alert is acknowledged; its number is one that no commands steer. */
  private static Group live(int number) {
    Group group = new Group(number % 4 == 0 ? number + 1_001 : number, 5);
    long nowMs = 1_800_000_000_000L;
    Optional<Step> next = group.next(nowMs);
    for (long offset = 0; next.isPresent(); offset++) {
      boolean faulty = next.get().kind() == Step.Kind.FAULTY;
      Position position = Position.newBuilder().setOffset(offset).build();
      group.record(faulty ? next.get().refused() : next.get().done(position), nowMs);
      nowMs += 250;
      next = group.next(nowMs);
    }
    return group;
  }

  private static int firstFiring(List<Step> steps) {
    for (int i = 1; i < steps.size(); i++) {
      Step step = steps.get(i);
      boolean only = steps.stream().filter(each -> each.id().equals(step.id())).count() == 1;
      if (only && step.kind() == Step.Kind.FIRING && step.condition() == 0) {
        return i;
      }
    }
    throw new AssertionError("no such step");
  }

  private static List<Incident> fold(Group group, List<Step> steps) {
    MemoryStore store = new MemoryStore();
    Fold fold = new Fold(store, event -> {});
    long offset = 0;
    for (Step step : steps) {
      if (step.outcome() == Step.Outcome.DONE) {
        fold.apply(
            LogEntries.of(new Alerts(1, List.of(alert(group, step)))),
            offset++,
            1_800_000_000_000L + 250 * offset);
      }
    }
    return store.incidents().stream()
        .map(each -> IncidentMapper.toProto(each, store.tally(each.getId()), 0))
        .toList();
  }

  private static Alert alert(Group group, Step step) {
    Alert alert =
        Alert.newBuilder()
            .setWorkspace("default")
            .setSource(group.source())
            .setAlertId(step.id())
            .setStatus(step.kind() == Step.Kind.RESOLVED ? AlertStatus.ENDED : AlertStatus.FIRING)
            .setTitle("condition " + step.condition())
            .setSeverity(
                Severity.valueOf(PlainModel.severity(step.condition()).name().substring(9)))
            .setType(IncidentType.APPLICATION)
            .setLabels(Map.of("service", group.service()))
            .setFiredAtMs(step.firedAtMs())
            .setFingerprint(new Key128(new byte[16]))
            .setGroup(new Key128(new byte[16]))
            .setRoute(0)
            .build();
    STAMPER.stamp(alert, "", true);
    return alert;
  }
}
