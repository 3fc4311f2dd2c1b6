package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.InhibitionState;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.ResolvedBy;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.SilencePhase;
import dev.tocsin.schemas.SilenceState;
import dev.tocsin.schemas.Tally;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What holds after every entry, whatever came. */
final class Invariants {
  private Invariants() {}

  static void check(BytesStore store) {
    Map<Key128, Incident> incidents = store.incidents.all();
    Map<Key128, FingerprintState> conditions = store.conditions.all();
    accounting(store.state(), incidents, store.tallies.all());
    Map<Key128, Long> firing = new HashMap<>();
    conditions
        .values()
        .forEach(
            condition -> {
              if (condition.getStatus() == AlertStatus.FIRING) {
                firing.merge(condition.getIncident(), 1L, Long::sum);
              }
            });
    Set<Key128> openGroups = new HashSet<>();
    incidents.forEach(
        (id, incident) -> {
          incident(
              incident,
              firing.getOrDefault(id, 0L),
              new ActiveRules().of(incident.getRule(), store.rules()));
          if (Lifecycle.isOpen(incident)) {
            assertThat(openGroups.add(incident.getGroup())).as("one open by group").isTrue();
            assertThat(store.group(incident.getGroup()).getIncident()).isEqualTo(id);
          }
        });
    store
        .groups
        .all()
        .values()
        .forEach(group -> assertThat(incidents).containsKey(group.getIncident()));
    timers(store.timers, conditions, incidents, store.tallies.all());
    flapping(store, incidents);
    inhibitions(store, incidents);
    silences(store, incidents);
    outcomes(store);
  }

  private static void flapping(BytesStore store, Map<Key128, Incident> incidents) {
    TreeSet<Timer> expected = new TreeSet<>();
    store
        .groups
        .all()
        .values()
        .forEach(
            group -> {
              Incident newest = incidents.get(group.getIncident());
              assertThat(group.getSteadyTimerMs() != 0).isEqualTo(newest.getFlapping());
              assertThat(group.getChangesMs()).isSorted().hasSizeLessThanOrEqualTo(100);
              if (newest.getFlapping()) {
                expected.add(
                    new Timer(group.getSteadyTimerMs(), Timer.Kind.FLAPPING, newest.getId()));
              }
            });
    TreeSet<Timer> found = new TreeSet<>(store.timers);
    found.removeIf(timer -> timer.kind() != Timer.Kind.FLAPPING);
    assertThat(found).as("one timer a flapping incident").isEqualTo(expected);
  }

  private static void inhibitions(BytesStore store, Map<Key128, Incident> incidents) {
    Map<Key128, InhibitionState> kept = store.inhibitions.all();
    Map<Key128, InhibitionState> expected = new HashMap<>();
    incidents.forEach(
        (id, incident) -> {
          assertThat(Lifecycle.isOpen(incident) || !Lifecycle.isSuppressed(incident)).isTrue();
          incident.getSourceOf().forEach(key -> state(expected, key).getSources().add(id));
          incident.getTargetOf().forEach(key -> state(expected, key).getTargets().add(id));
          boolean pending =
              store.timers.stream()
                  .filter(timer -> timer.kind() == Timer.Kind.INHIBITION)
                  .anyMatch(timer -> incident.getTargetOf().contains(timer.about()));
          boolean hidden =
              incident.getTargetOf().stream()
                  .anyMatch(key -> !kept.get(key).getSources().isEmpty());
          if (!pending) {
            assertThat(incident.getInhibitedBy() != null).as("inhibited").isEqualTo(hidden);
          }
          if (hidden && !pending) {
            assertThat(incident.getInhibitedBy()).isNotEqualTo(id);
            assertThat(incident.getTargetOf())
                .anyMatch(key -> kept.get(key).getSources().contains(incident.getInhibitedBy()));
          }
          if (!Lifecycle.isOpen(incident)) {
            assertThat(incident.getSourceOf()).isEmpty();
            assertThat(incident.getTargetOf()).isEmpty();
          }
        });
    expected.forEach(
        (key, state) -> {
          assertThat(kept.get(key).getSources()).as("that say so").isEqualTo(state.getSources());
          assertThat(kept.get(key).getTargets()).as("that say so").isEqualTo(state.getTargets());
        });
    assertThat(kept).hasSameSizeAs(expected);
  }

  private static void silences(BytesStore store, Map<Key128, Incident> incidents) {
    Map<Key128, SilenceState> silences = store.silences.all();
    assertThat(silences).hasSize(store.state().getSilences());
    TreeSet<Timer> expected = new TreeSet<>();
    boolean[] underWay = new boolean[1];
    silences.forEach(
        (id, state) -> {
          expected.add(new Timer(state.getTimerMs(), Timer.Kind.SILENCE, id));
          underWay[0] |= state.getTimerMs() <= store.state().getFoldTimeMs();
          var of = store.silences(Silences.key(state.getSilence().getWorkspace()));
          boolean ended = state.getPhase() == SilencePhase.ENDED;
          assertThat(of.getEnded().contains(id)).isEqualTo(ended);
          assertThat(of.getLasting().contains(id)).isNotEqualTo(ended);
        });
    TreeSet<Timer> found = new TreeSet<>(store.timers);
    found.removeIf(timer -> timer.kind() != Timer.Kind.SILENCE);
    assertThat(found).as("one timer a silence").isEqualTo(expected);
    if (!underWay[0]) {
      incidents.values().forEach(incident -> silenced(incident, silences));
    }
  }

  private static void silenced(Incident incident, Map<Key128, SilenceState> silences) {
    SilenceState last = null;
    for (SilenceState each : silences.values()) { // by id: of equals the first stays
      if (Lifecycle.isOpen(incident)
          && each.getPhase() == SilencePhase.ACTIVE
          && each.getSilence().getWorkspace().equals(incident.getWorkspace())
          && new IncidentMatcher(each.getSilence().getMatchers()).matches(incident)
          && (last == null || each.getEndMs() > last.getEndMs())) {
        last = each;
      }
    }
    assertThat(incident.getSilencedBy()).isEqualTo(last == null ? null : last.getSilence().getId());
    assertThat(incident.getSilencedUntilMs()).isEqualTo(last == null ? 0 : last.getEndMs());
  }

  private static InhibitionState state(Map<Key128, InhibitionState> all, Key128 key) {
    return all.computeIfAbsent(key, any -> InhibitionState.newBuilder().build());
  }

  private static void outcomes(BytesStore store) {
    Map<Key128, Outcome> outcomes = store.outcomes.all();
    assertThat(outcomes).hasSize(store.state().getOutcomes());
    assertThat(outcomes).hasSizeLessThanOrEqualTo(store.rules().getOutcomesMax());
    TreeSet<Timer> expected = new TreeSet<>();
    outcomes.forEach(
        (key, outcome) ->
            expected.add(
                new Timer(
                    outcome.getAtMs() + store.rules().getOutcomeWindowMs(),
                    Timer.Kind.OUTCOME,
                    key)));
    TreeSet<Timer> found = new TreeSet<>(store.timers);
    found.removeIf(timer -> timer.kind() != Timer.Kind.OUTCOME);
    assertThat(found).as("one timer an outcome").isEqualTo(expected);
  }

  private static void accounting(
      PartitionState counts, Map<Key128, Incident> incidents, Map<Key128, Tally> tallies) {
    assertThat(counts.getAlerts())
        .as("every alert is one of these")
        .isEqualTo(
            counts.getOccurrences()
                + counts.getRedelivered()
                + counts.getResolved()
                + counts.getUnmatched()
                + counts.getStale()
                + counts.getMuted()
                + counts.getSuppressed());
    assertThat(tallies.keySet()).isEqualTo(incidents.keySet());
    long occurrences = tallies.values().stream().mapToLong(Tally::getOccurrences).sum();
    assertThat(occurrences).as("occurrences").isLessThanOrEqualTo(counts.getOccurrences());
    assertThat((long) incidents.size()).as("opened").isLessThanOrEqualTo(counts.getOpened());
    if (incidents.size() == counts.getOpened()) {
      assertThat(occurrences).isEqualTo(counts.getOccurrences());
    }
  }

  private static void incident(Incident incident, long firing, Rules rules) {
    assertThat(incident.getActiveAlerts()).as("active").isEqualTo(firing);
    assertThat(incident.getActiveAlerts()).isLessThanOrEqualTo(incident.getDistinctAlerts());
    if (Lifecycle.isOpen(incident)) {
      assertThat(
              firing > 0
                  || incident.getDistinctAlerts() == 0
                  || incident.getReopened() > 0
                  || incident.getFlapping())
          .as("open without a condition that fires only if a person opened it, or it is flapping")
          .isTrue();
    } else {
      assertThat(firing == 0 || incident.getResolvedBy() == ResolvedBy.PERSON)
          .as("muted conditions are those of an incident that a person resolved")
          .isTrue();
      assertThat(incident.getResolvedBy()).isNotEqualTo(ResolvedBy.NOBODY);
    }
    if (incident.getMergedInto() != null) {
      assertThat(Lifecycle.isOpen(incident)).as("merged").isFalse();
      assertThat(incident.getResolvedBy()).isEqualTo(ResolvedBy.PERSON);
    }
    assertThat(incident.getFlapping() && !Lifecycle.isOpen(incident)).as("flapping").isFalse();
    assertThat(incident.getNotes())
        .hasSize((int) Math.min(rules.getNotesMax(), incident.getNotesAdded()));
    assertThat(incident.getResolvedAtMs() != 0).isEqualTo(!Lifecycle.isOpen(incident));
    assertThat(incident.getClosedAtMs() != 0)
        .isEqualTo(incident.getState() == IncidentState.CLOSED);
    assertThat(incident.getUpdatedAtMs()).isGreaterThanOrEqualTo(incident.getCreatedAtMs());
    assertThat(incident.getTimeline()).hasSizeLessThanOrEqualTo(rules.getTimelineMax());
    assertThat(incident.getAlerts())
        .hasSize((int) Math.min(rules.getAlertsMax(), incident.getDistinctAlerts()));
  }

  private static void timers(
      Set<Timer> timers,
      Map<Key128, FingerprintState> conditions,
      Map<Key128, Incident> incidents,
      Map<Key128, Tally> tallies) {
    TreeSet<Timer> expected = new TreeSet<>();
    conditions.forEach(
        (key, condition) ->
            expected.add(new Timer(condition.getTimerMs(), Timer.Kind.CONDITION, key)));
    TreeSet<Timer> found = new TreeSet<>(timers);
    found.removeIf(timer -> timer.kind() != Timer.Kind.CONDITION);
    assertThat(found).as("one timer a condition").isEqualTo(expected);

    Map<Key128, Integer> byIncident = new HashMap<>();
    Map<Key128, Integer> byTally = new HashMap<>();
    for (Timer timer : timers) {
      if (timer.kind() == Timer.Kind.INCIDENT) {
        byIncident.merge(timer.about(), 1, Integer::sum);
      } else if (timer.kind() == Timer.Kind.TALLY) {
        byTally.merge(timer.about(), 1, Integer::sum);
      }
    }
    incidents.forEach(
        (id, incident) ->
            assertThat(byIncident.getOrDefault(id, 0))
                .as("one timer an incident that is not open, none for an open one")
                .isEqualTo(Lifecycle.isOpen(incident) ? 0 : 1));
    assertThat(incidents.keySet()).as("timers' incidents").containsAll(byIncident.keySet());
    tallies.forEach(
        (id, tally) ->
            assertThat(byTally.getOrDefault(id, 0)).isEqualTo(tally.getPublishArmed() ? 1 : 0));
    tallies.forEach((id, tally) -> saysOfItsIncident(tally, incidents.get(id)));
  }

  /** A repeat reads no more than the tally, so that has to know. */
  private static void saysOfItsIncident(Tally tally, Incident incident) {
    assertThat(tally.getState()).isEqualTo(incident.getState());
    assertThat(tally.getSeverity()).isEqualTo(incident.getSeverity());
    assertThat(tally.getWorkspace()).isEqualTo(incident.getWorkspace());
    assertThat(tally.getSource()).isEqualTo(incident.getSource());
    assertThat(tally.getRule()).isEqualTo(incident.getRule());
    assertThat(tally.getRevision()).isEqualTo(incident.getRevision());
    assertThat(tally.getWhole())
        .isEqualTo(incident.getFlapping() || Lifecycle.isSuppressed(incident));
  }
}
