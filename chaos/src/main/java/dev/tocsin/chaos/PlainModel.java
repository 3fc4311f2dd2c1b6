package dev.tocsin.chaos;

import dev.tocsin.proto.alerts.Severity;
import dev.tocsin.proto.incidents.Incident;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What one group's alerts and commands must come to, by what the documentation says of incidents
 * and without a look at the engine: maps, and no time. It is exact where a group's steps take
 * effect in the order in which they are applied here, where a group that its alerts resolved fires
 * again within the reopen window or not at all, and where no other window passes.
 *
 * <p>Not thread-safe.
 */
final class PlainModel {
  /** What can be seen of an incident. */
  record Seen(
      String state,
      Severity severity,
      long occurrences,
      long distinct,
      long active,
      int reopened,
      long notes) {
    private static final String STATE = "INCIDENT_STATE_";

    /** As an answer tells it. */
    static Seen of(Incident told) {
      return new Seen(
          told.getState().name().substring(STATE.length()),
          Severity.forNumber(told.getSeverityValue()),
          told.getOccurrences(),
          told.getDistinctAlerts(),
          told.getActiveAlerts(),
          told.getReopened(),
          told.getNotesAdded());
    }
  }

  private static final class Item {
    String state = "DETECTED";
    Severity severity = Severity.SEVERITY_P4;
    boolean byPerson;
    long occurrences;
    long distinct;
    long active;
    int reopened;
    long notes;

    boolean open() {
      return !state.equals("RESOLVED");
    }

    void fire(boolean member, Severity its) {
      distinct += member ? 0 : 1;
      active++;
      severity = its.compareTo(severity) < 0 ? its : severity;
    }

    Seen seen() {
      return new Seen(state, severity, occurrences, distinct, active, reopened, notes);
    }
  }

  private static final class Condition {
    boolean active;
    Item incident;
  }

  private final List<Item> incidents = new ArrayList<>();
  private final Map<Integer, Condition> conditions = new HashMap<>();
  private final Set<String> counted = new HashSet<>();

  /**
   * What a group may have come to: what was acknowledged, in its order, and for each step whose
   * outcome is unknown once with it and once without. A group has one of those at most, the last.
   */
  static List<PlainModel> outcomes(List<Step> steps) {
    PlainModel surely = new PlainModel();
    PlainModel perhaps = new PlainModel();
    boolean unknown = false;
    for (Step step : steps) {
      boolean done = step.outcome() == Step.Outcome.DONE;
      if (done) {
        surely.apply(step);
      }
      if (done || step.outcome() == Step.Outcome.UNKNOWN) {
        perhaps.apply(step);
      }
      unknown |= step.outcome() == Step.Outcome.UNKNOWN;
    }
    return unknown ? List.of(surely, perhaps) : List.of(surely);
  }

  /** How bad a condition's alerts are: never another severity for the same one. */
  static Severity severity(int condition) {
    return Severity.forNumber(Severity.SEVERITY_P4_VALUE - condition % 5);
  }

  void apply(Step step) {
    switch (step.kind()) {
      case FIRING -> {
        if (counted.add("firing " + step.id())) {
          fire(step.condition());
        }
      }
      case RESOLVED -> {
        if (counted.add("resolved " + step.id())) {
          end(step.condition());
        }
      }
      case FAULTY, EXPLAIN -> {}
      case NOTE -> newest().notes++;
      case TRIAGE -> newest().state = "TRIAGED";
      case INVESTIGATE -> newest().state = "INVESTIGATING";
      case RESOLVE, MERGE -> {
        newest().state = "RESOLVED";
        newest().byPerson = true;
      }
    }
  }

  private void fire(int which) {
    Condition condition = conditions.computeIfAbsent(which, any -> new Condition());
    Item its = condition.incident;
    if (condition.active && !its.open()) {
      return; // a person resolved it while the condition was active, which is muted until its end
    }
    if (its == null || !its.open()) {
      condition.incident = admit();
      condition.incident.fire(condition.incident == its, severity(which));
    } else if (!condition.active) {
      its.fire(true, severity(which));
    }
    condition.incident.occurrences++;
    condition.active = true;
  }

  /** The incident for a condition that no open one knows. */
  private Item admit() {
    Item newest = incidents.isEmpty() ? null : newest();
    if (newest != null && newest.open()) {
      return newest;
    }
    if (newest != null && !newest.byPerson) {
      newest.state = "INVESTIGATING";
      newest.reopened++;
      return newest;
    }
    incidents.add(new Item());
    return newest();
  }

  private void end(int which) {
    Condition condition = conditions.computeIfAbsent(which, any -> new Condition());
    if (!condition.active) {
      return;
    }
    condition.active = false;
    Item its = condition.incident;
    if (--its.active == 0 && its.open()) {
      its.state = "RESOLVED";
    }
  }

  private Item newest() {
    return incidents.get(incidents.size() - 1);
  }

  /** The incidents, in the order in which they opened. */
  List<Seen> incidents() {
    return incidents.stream().map(Item::seen).toList();
  }

  /** The state of the newest incident; empty where there is none. */
  String state() {
    return incidents.isEmpty() ? "" : newest().state;
  }

  /** Whether a FIRING would reopen an incident, if it comes within the reopen window. */
  boolean wouldReopen() {
    return state().equals("RESOLVED") && !newest().byPerson;
  }
}
