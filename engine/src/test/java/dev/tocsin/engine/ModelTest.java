package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.World.Item;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * The fold against a model of what the rules of incidents say, written without a look at how the
 * fold does it: no timers, no stores, everything looked through each time. It knows no silence, no
 * closing and no end of the receipt window, so its worlds are short.
 */
class ModelTest {
  private static final long REOPEN_MS = 30_000;

  private static final class Condition {
    boolean active;
    long endsAtMs;
    long endedAtMs;
    ModelIncident incident;
  }

  private static final class ModelIncident {
    final Key128 group;
    final Set<Key128> conditions = new HashSet<>();
    Severity severity;
    String state = "DETECTED";
    long resolvedAtMs;
    int active;
    int occurrences;
    int reopened;

    ModelIncident(Key128 group, Severity severity) {
      this.group = group;
      this.severity = severity;
    }

    boolean open() {
      return !state.equals("RESOLVED");
    }

    void end(long atMs) {
      if (--active == 0) {
        state = "RESOLVED";
        resolvedAtMs = atMs;
      }
    }

    void fire(Key128 condition, Severity its) {
      conditions.add(condition);
      active++;
      worsen(its);
    }

    void worsen(Severity its) {
      severity = its.compareTo(severity) < 0 ? its : severity;
    }

    @Override
    public String toString() {
      return "%s %s %s occurrences=%d distinct=%d active=%d reopened=%d resolved=%d"
          .formatted(
              group,
              state,
              severity,
              occurrences,
              conditions.size(),
              active,
              reopened,
              resolvedAtMs);
    }
  }

  private static final class Model {
    final List<ModelIncident> incidents = new ArrayList<>();
    final Map<Key128, Map<Key128, Condition>> conditions = new LinkedHashMap<>();
    final Set<Key128> receipts = new HashSet<>();

    void alert(long nowMs, Alert alert) {
      announcedEnds(nowMs);
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
      if (condition.active) {
        condition.incident.worsen(alert.getSeverity());
      } else {
        condition.incident.fire(alert.getFingerprint(), alert.getSeverity());
      }
      condition.active = true;
      condition.endsAtMs = alert.getEndsAtMs();
    }

    private ModelIncident incidentFor(long nowMs, Alert alert) {
      ModelIncident newest = null;
      for (ModelIncident each : incidents) {
        newest = each.group.equals(alert.getGroup()) ? each : newest;
      }
      if (newest != null && !newest.open() && nowMs - newest.resolvedAtMs <= REOPEN_MS) {
        newest.state = "INVESTIGATING";
        newest.resolvedAtMs = 0;
        newest.reopened++;
      } else if (newest == null || !newest.open()) {
        newest = new ModelIncident(alert.getGroup(), alert.getSeverity());
        incidents.add(newest);
      }
      return newest;
    }

    private void announcedEnds(long nowMs) {
      conditions.values().stream()
          .flatMap(group -> group.values().stream())
          .filter(each -> each.active && each.endsAtMs != 0 && each.endsAtMs <= nowMs)
          .sorted((one, other) -> Long.compare(one.endsAtMs, other.endsAtMs))
          .forEach(
              each -> {
                each.active = false;
                each.endedAtMs = Math.max(each.endedAtMs, each.endsAtMs);
                each.incident.end(each.endsAtMs);
              });
    }
  }

  @Provide
  static Arbitrary<List<Item>> shortWorlds() {
    return World.items(40, 0L, 0L, 1L, 1_000L, 10_000L, 20_000L, 31_000L, 60_000L);
  }

  @Property(tries = 200)
  void fold_doesWhatTheModelDoes(@ForAll("shortWorlds") List<Item> world) {
    Rules rules = DefaultRules.read();
    rules.setReopenWindowMs(REOPEN_MS);
    Log log = new Log(rules);
    Model model = new Model();
    for (Item item : world) {
      log.at(item.timeMs()).append(item.entry());
      model.alert(item.timeMs(), item.alert());
      assertThat(log.incidents().stream().map(incident -> words(log, incident)))
          .containsExactlyInAnyOrderElementsOf(
              model.incidents.stream().map(ModelIncident::toString).toList());
    }
  }

  private static String words(Log log, Incident incident) {
    return "%s %s %s occurrences=%d distinct=%d active=%d reopened=%d resolved=%d"
        .formatted(
            incident.getGroup(),
            incident.getState(),
            incident.getSeverity(),
            log.store.tally(incident.getId()).getOccurrences(),
            incident.getDistinctAlerts(),
            incident.getActiveAlerts(),
            incident.getReopened(),
            incident.getResolvedAtMs());
  }
}
