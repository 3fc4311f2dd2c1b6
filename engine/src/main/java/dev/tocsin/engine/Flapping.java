package dev.tocsin.engine;

import dev.tocsin.engine.IncidentDraft.Cause;
import dev.tocsin.schemas.FlappingRule;
import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.Key128;
import java.util.List;
import java.util.Locale;

/**
 * Groups that come and go. A change is that the open incident of a group comes to hold, by its
 * first active condition, or ceases to, with its last one; what a person does is none. A group
 * remembers the times of its newest changes, across its incidents. When there are as many of them
 * within the window as its rule says, its incident is flapping: it stays open until none has come
 * for a whole window.
 *
 * <p>An incident that flaps is open, and has one timer.
 */
final class Flapping {
  private Flapping() {}

  /** Makes an incident its group's newest; what the group remembers stays. */
  static void newest(Stage stage, Key128 group, Key128 incident) {
    GroupState before = stage.group(group);
    GroupState after = before == null ? new GroupState() : Copies.of(before);
    after.setIncident(incident);
    if (before == null) {
      after.setChangesMs(List.of());
    }
    stage.put(group, after);
  }

  /** Counts a change of an incident, which may be one too many. */
  static void changed(Stage stage, IncidentDraft draft) {
    Incident incident = draft.incident();
    FlappingRule rule = rule(stage, incident);
    if (rule == null && !incident.getFlapping()) {
      return;
    }
    GroupState group = Copies.of(stage.group(incident.getGroup()));
    if (incident.getFlapping() && group.getSteadyTimerMs() == 0) {
      arm(stage, incident, group, stage.now() + (rule == null ? 1 : rule.getWindowMs()));
      stage.put(incident.getGroup(), group);
    }
    if (rule != null) {
      count(stage, draft, group, rule);
    }
  }

  private static void count(Stage stage, IncidentDraft draft, GroupState group, FlappingRule rule) {
    Incident incident = draft.incident();
    int max = rule.getChanges();
    List<Long> changes =
        NewestItems.with(group.getChangesMs(), stage.now(), max, Integer.MAX_VALUE, each -> 0);
    group.setChangesMs(changes);
    boolean many = changes.size() == max && stage.now() - changes.get(0) <= rule.getWindowMs();
    if (many && !incident.getFlapping()) {
      arm(stage, incident, group, stage.now() + rule.getWindowMs());
      draft.flap(
          String.format(
              Locale.ROOT, "%d changes within %s", max, RulesNumbers.text(rule.getWindowMs())));
    }
    stage.put(incident.getGroup(), group);
  }

  /** The timer of a flapping incident is due: it is steady, or will be looked at again. */
  static void due(Stage stage, Cause cause, Timer timer) {
    Incident incident = stage.incident(timer.about());
    GroupState group = Copies.of(stage.group(incident.getGroup()));
    FlappingRule rule = rule(stage, incident);
    List<Long> changes = group.getChangesMs();
    // Where the rule does not say any more what flapping is, it is over.
    long dueMs = rule == null ? 0 : changes.get(changes.size() - 1) + rule.getWindowMs();
    group.setSteadyTimerMs(0);
    if (dueMs > timer.dueMs()) {
      arm(stage, incident, group, dueMs);
    } else {
      IncidentDraft.of(stage, cause, incident).settle().done();
    }
    stage.put(incident.getGroup(), group);
  }

  /** Its timer has gone without having been due. */
  static void dropped(Stage stage, Key128 id) {
    Incident incident = stage.incident(id);
    GroupState group = incident == null ? null : stage.group(incident.getGroup());
    if (group != null) {
      GroupState after = Copies.of(group);
      after.setSteadyTimerMs(0);
      stage.put(incident.getGroup(), after);
    }
  }

  /** It is over before its time. */
  static void forget(Stage stage, Incident incident) {
    GroupState group = Copies.of(stage.group(incident.getGroup()));
    stage.disarm(timer(incident, group.getSteadyTimerMs()));
    group.setSteadyTimerMs(0);
    stage.put(incident.getGroup(), group);
  }

  private static void arm(Stage stage, Incident incident, GroupState group, long dueMs) {
    group.setSteadyTimerMs(dueMs);
    stage.arm(timer(incident, dueMs));
  }

  private static Timer timer(Incident incident, long dueMs) {
    return new Timer(dueMs, Timer.Kind.FLAPPING, incident.getId());
  }

  private static FlappingRule rule(Stage stage, Incident incident) {
    return stage.rules(incident.getRule()).getFlapping();
  }
}
