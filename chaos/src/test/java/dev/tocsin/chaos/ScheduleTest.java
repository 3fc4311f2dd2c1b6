package dev.tocsin.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.chaos.Schedule.Planned;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ScheduleTest {
  private static final List<Fault> ALL = Arrays.asList(Fault.values());

  @Test
  void schedule_isTheSameForTheSameSeed_andAnotherForAnother() {
    assertThat(first(100, ALL, 7)).isEqualTo(first(100, ALL, 7)).isNotEqualTo(first(100, ALL, 8));
  }

  @Test
  void schedule_doesNotDependOnTheOrderInWhichKindsAreNamed() {
    assertThat(first(20, List.of(Fault.ZOMBIE, Fault.ROLL), 7))
        .isEqualTo(first(20, List.of(Fault.ROLL, Fault.ZOMBIE, Fault.ROLL), 7));
  }

  @Test
  void schedule_hasEachKindOnceBeforeAnyAgain() {
    List<Planned> planned = first(3 * ALL.size(), ALL, 7);
    for (int round = 0; round < 3; round++) {
      Set<Fault> kinds = EnumSet.noneOf(Fault.class);
      planned.subList(round * ALL.size(), (round + 1) * ALL.size()).stream()
          .map(Planned::fault)
          .forEach(kinds::add);
      assertThat(kinds).hasSameSizeAs(ALL);
    }
  }

  @Test
  void faults_areHeldBeyondOrBelowTheSession() {
    int sessionMs = 1_000 * Cluster.SESSION_SECONDS;
    assertThat(first(1_000, ALL, 7))
        .allSatisfy(
            each -> {
              switch (each.fault()) {
                case ZOMBIE, LOSE_PROCESSOR -> assertThat(each.holdMs()).isGreaterThan(sessionMs);
                case PAUSE_PROCESSOR -> assertThat(each.holdMs()).isLessThan(sessionMs);
                default -> assertThat(each.holdMs()).isNotNegative();
              }
            });
  }

  private static List<Planned> first(int count, List<Fault> kinds, long seed) {
    Schedule schedule = new Schedule(kinds, seed);
    return Stream.generate(schedule::next).limit(count).toList();
  }
}
