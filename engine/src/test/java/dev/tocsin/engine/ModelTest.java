package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.World.Item;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.CreateIncident;
import dev.tocsin.schemas.FlappingRule;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.OutcomeCode;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.UpdateIncident;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * The fold against a model of what the rules of incidents say, written without a look at how the
 * fold does it: no timers, no stores, everything looked through each time. It knows no silence, no
 * closing by time and no end of the receipt window, so its worlds are short. Whether a command is
 * refused it asks the fold; what one does that is not, and whom it mutes, it knows.
 */
class ModelTest {
  private static final long REOPEN_MS = 30_000;
  private static final int FLAPS = 4;
  private static final long FLAP_MS = 45_000;

  private static final class Condition {
    boolean active;
    long endsAtMs;
    long endedAtMs;
    Severity worst;
    ModelIncident incident;
  }

  private static final class ModelIncident {
    final Key128 group;
    final Set<Key128> conditions = new HashSet<>();
    Severity severity;
    String state = "DETECTED";
    long resolvedAtMs;
    boolean byPerson;
    int active;
    int occurrences;
    int reopened;
    boolean flapping;

    /** Of its group, shared with its other incidents; null where nobody asks about flapping. */
    final List<Long> changes;

    ModelIncident(Key128 group, Severity severity, List<Long> changes) {
      this.group = group;
      this.severity = severity;
      this.changes = changes;
    }

    long steadyAt() {
      return changes.get(changes.size() - 1) + FLAP_MS;
    }

    void changed(long atMs) {
      if (changes != null) {
        changes.add(atMs);
        int all = changes.size();
        flapping |= all >= FLAPS && atMs - changes.get(all - FLAPS) <= FLAP_MS;
      }
    }

    void settle(long atMs) {
      flapping = false;
      if (active == 0) {
        resolve(atMs, false);
      }
    }

    boolean open() {
      return !state.equals("RESOLVED") && !state.equals("CLOSED");
    }

    boolean mayReopen(long nowMs) {
      return state.equals("RESOLVED") && !byPerson && nowMs - resolvedAtMs <= REOPEN_MS;
    }

    void end(long atMs) {
      if (--active == 0 && open()) {
        changed(atMs);
        if (!flapping) {
          resolve(atMs, false);
        }
      }
    }

    void resolve(long atMs, boolean person) {
      state = "RESOLVED";
      flapping = false;
      resolvedAtMs = atMs;
      byPerson = person;
    }

    void merge(long atMs) {
      byPerson = true;
      if (open()) {
        resolve(atMs, true);
      }
    }

    void reopen() {
      state = "INVESTIGATING";
      resolvedAtMs = 0;
      reopened++;
    }

    /** A person's change, which the fold has not refused. */
    void change(long nowMs, UpdateIncident asked) {
      if (asked.getSeverity() != null) {
        severity = asked.getSeverity();
      }
      IncidentState to = asked.getState();
      if (to == null || to.name().equals(state)) {
        return;
      }
      if (to == IncidentState.RESOLVED) {
        resolve(nowMs, true);
      } else if (state.equals("RESOLVED") && to == IncidentState.INVESTIGATING) {
        reopen();
      } else {
        state = to.name();
      }
    }

    void fire(long nowMs, Key128 condition, Severity its) {
      conditions.add(condition);
      if (++active == 1) {
        changed(nowMs);
      }
      worsen(its);
    }

    void worsen(Severity its) {
      severity = its.compareTo(severity) < 0 ? its : severity;
    }

    @Override
    public String toString() {
      return "%s %s %s occurrences=%d distinct=%d active=%d reopened=%d resolved=%d flapping=%s"
          .formatted(
              group,
              state,
              severity,
              occurrences,
              conditions.size(),
              active,
              reopened,
              resolvedAtMs,
              flapping);
    }
  }

  private static final class Model {
    final List<ModelIncident> incidents = new ArrayList<>();
    final Map<Key128, Map<Key128, Condition>> conditions = new LinkedHashMap<>();
    final Set<Key128> receipts = new HashSet<>();
    final Map<Key128, List<Long>> changes = new HashMap<>();
    final boolean flaps;

    Model(boolean flaps) {
      this.flaps = flaps;
    }

    /** A command of which something becomes. */
    void command(long nowMs, Command command, int pick) {
      settle(nowMs);
      if (command.getBody() instanceof CreateIncident asked) {
        if (incidents.stream().noneMatch(each -> each.group.equals(asked.getGroup()))) {
          boolean unsaid = asked.getSeverity() == Severity.UNSPECIFIED;
          incidents.add(
              new ModelIncident(
                  asked.getGroup(), unsaid ? Severity.P3 : asked.getSeverity(), null));
        }
      } else if (command.getMerge() != null) {
        incidents.get(pick % incidents.size()).merge(nowMs);
      } else if (command.getBody() instanceof UpdateIncident asked) {
        incidents.get(pick % incidents.size()).change(nowMs, asked);
      }
    }

    void alert(long nowMs, Alert alert) {
      settle(nowMs);
      if (alert.getReceipt() != null && !receipts.add(alert.getReceipt())) {
        return;
      }
      Condition condition =
          conditions
              .computeIfAbsent(alert.getGroup(), any -> new HashMap<>())
              .computeIfAbsent(alert.getFingerprint(), any -> new Condition());
      boolean over = alert.getEndsAtMs() != 0 && alert.getEndsAtMs() <= nowMs;
      if (over || alert.getStatus() == AlertStatus.ENDED) {
        long saidMs = over ? alert.getEndsAtMs() : alert.getFiredAtMs();
        condition.endedAtMs = Math.max(condition.endedAtMs, Math.min(nowMs, saidMs));
        if (condition.active) {
          condition.active = false;
          condition.incident.end(nowMs);
        }
        return;
      }
      if (condition.active && !condition.incident.open()) { // muted
        condition.endsAtMs = alert.getEndsAtMs();
        return;
      }
      boolean late = !condition.active && alert.getFiredAtMs() < condition.endedAtMs;
      boolean known = condition.incident != null && condition.incident.open();
      if (known) {
        condition.incident.occurrences++;
      }
      if (!late) {
        fire(nowMs, alert, condition, known);
      }
    }

    private void fire(long nowMs, Alert alert, Condition condition, boolean known) {
      if (!known) {
        condition.incident = incidentFor(nowMs, alert);
        condition.incident.occurrences++;
      }
      if (!condition.active) {
        condition.incident.fire(nowMs, alert.getFingerprint(), alert.getSeverity());
        condition.worst = alert.getSeverity();
      } else if (alert.getSeverity().compareTo(condition.worst) < 0) {
        condition.incident.worsen(alert.getSeverity());
        condition.worst = alert.getSeverity();
      }
      condition.active = true;
      condition.endsAtMs = alert.getEndsAtMs();
    }

    private ModelIncident incidentFor(long nowMs, Alert alert) {
      ModelIncident newest = null;
      for (ModelIncident each : incidents) {
        newest = each.group.equals(alert.getGroup()) ? each : newest;
      }
      if (newest != null && newest.mayReopen(nowMs)) {
        newest.reopen();
      } else if (newest == null || !newest.open()) {
        List<Long> ofGroup =
            flaps ? changes.computeIfAbsent(alert.getGroup(), any -> new ArrayList<>()) : null;
        newest = new ModelIncident(alert.getGroup(), alert.getSeverity(), ofGroup);
        incidents.add(newest);
      }
      return newest;
    }

    /** What time brings about, one after the other: announced ends, and steadiness behind them. */
    void settle(long nowMs) {
      while (true) {
        Condition ending = ending(nowMs);
        ModelIncident calm = calmest(nowMs);
        if (ending == null && calm == null) {
          return;
        } else if (calm == null || (ending != null && ending.endsAtMs <= calm.steadyAt())) {
          ending.active = false;
          ending.endedAtMs = Math.max(ending.endedAtMs, ending.endsAtMs);
          ending.incident.end(ending.endsAtMs);
        } else {
          calm.settle(calm.steadyAt());
        }
      }
    }

    private Condition ending(long nowMs) {
      return conditions.values().stream()
          .flatMap(group -> group.values().stream())
          .filter(each -> each.active && each.endsAtMs != 0 && each.endsAtMs <= nowMs)
          .min((one, other) -> Long.compare(one.endsAtMs, other.endsAtMs))
          .orElse(null);
    }

    private ModelIncident calmest(long nowMs) {
      return incidents.stream()
          .filter(each -> each.flapping && each.steadyAt() <= nowMs)
          .min((one, other) -> Long.compare(one.steadyAt(), other.steadyAt()))
          .orElse(null);
    }
  }

  private static final Long[] SHORT = {0L, 0L, 1L, 1_000L, 10_000L, 20_000L, 31_000L, 60_000L};

  @Provide
  static Arbitrary<List<Item>> shortWorlds() {
    return Arbitraries.oneOf(World.items(40, SHORT), World.steered(40, SHORT));
  }

  @Property(tries = 600)
  void fold_doesWhatTheModelDoes(@ForAll("shortWorlds") List<Item> world, @ForAll boolean flaps) {
    Rules rules = DefaultRules.read();
    rules.setReopenWindowMs(REOPEN_MS);
    if (flaps) {
      rules.setFlapping(new FlappingRule(FLAPS, FLAP_MS));
    }
    Log log = new Log(rules);
    Model model = new Model(flaps);
    for (Item item : world) {
      LogEntry entry = item.on(log.incidents());
      Command command = entry.getCommand();
      boolean again = command != null && outcome(log, command) != null;
      log.at(item.timeMs()).append(entry);
      if (command == null) {
        model.alert(item.timeMs(), item.alert());
      } else if (!again && outcome(log, command).getCode() == OutcomeCode.DONE) {
        model.command(item.timeMs(), command, item.pick());
      } else {
        model.settle(item.timeMs());
      }
      assertThat(log.incidents().stream().map(incident -> words(log, incident)))
          .containsExactlyInAnyOrderElementsOf(
              model.incidents.stream().map(ModelIncident::toString).toList());
    }
  }

  private static Outcome outcome(Log log, Command command) {
    return log.store.outcome(Outcomes.key(command.getWorkspace(), command.getRequestId()));
  }

  private static String words(Log log, Incident incident) {
    return "%s %s %s occurrences=%d distinct=%d active=%d reopened=%d resolved=%d flapping=%s"
        .formatted(
            incident.getGroup(),
            incident.getState(),
            incident.getSeverity(),
            log.store.tally(incident.getId()).getOccurrences(),
            incident.getDistinctAlerts(),
            incident.getActiveAlerts(),
            incident.getReopened(),
            incident.getResolvedAtMs(),
            incident.getFlapping());
  }
}
