package dev.tocsin.engine;

import dev.tocsin.schemas.AddNote;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.CreateIncident;
import dev.tocsin.schemas.FlappingRule;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.Inhibition;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.MatchOperator;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.MergeIncident;
import dev.tocsin.schemas.MergedFrom;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.UpdateIncident;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/**
 * Small worlds for properties: three groups, three conditions, a handful of ids, so that everything
 * meets everything; and times that stand still, jump by milliseconds to weeks, or go back.
 */
final class World {
  /**
   * An entry of the log. A command may name its incident by how many were opened before it, of
   * those that are kept: the log that it stands on decides which that is.
   */
  record Item(long timeMs, LogEntry entry, int pick) {
    private static final int AS_IT_IS = -1;

    Item(long timeMs, LogEntry entry) {
      this(timeMs, entry, AS_IT_IS);
    }

    static Item of(long timeMs, List<Alert> alerts) {
      return new Item(timeMs, LogEntries.of(new Alerts(1, alerts)));
    }

    static Item tick(long timeMs) {
      return new Item(timeMs, LogEntries.tick());
    }

    static Item rules(long timeMs, Rules rules) {
      return new Item(timeMs, LogEntries.of(new RulesActivated(rules)));
    }

    boolean isAlert() {
      return entry.getPayload() instanceof Alerts;
    }

    /** The entry as it would be appended where these incidents are kept. */
    LogEntry on(Collection<Incident> kept) {
      if (pick == AS_IT_IS || kept.isEmpty()) {
        return entry;
      }
      List<Incident> opened = new ArrayList<>(kept);
      opened.sort(
          Comparator.comparingLong(Incident::getOpenedOffset)
              .thenComparingInt(Incident::getOpenedIndex));
      Command command = Copies.of(entry.getCommand());
      command.setIncident(opened.get(pick % opened.size()).getId());
      Key128 other = opened.get((pick + 1) % opened.size()).getId();
      if (command.getMerge() != null) {
        command.setMerge(new MergeIncident(other, "the other"));
      } else if (command.getMergedFrom() != null) {
        command.setMergedFrom(new MergedFrom(other, "the other"));
      }
      return LogEntries.of(command);
    }

    Alert alert() {
      return ((Alerts) entry.getPayload()).getAlerts().get(0);
    }
  }

  /** An alert, so long after the one before it; 0 for ends means open-ended. */
  record Step(long afterMs, Sighting alert, long firedBeforeMs, long endsInMs) {
    Item at(long nowMs) {
      Sighting timed = alert.firedAt(nowMs - firedBeforeMs);
      return Item.of(
          nowMs, List.of((endsInMs == 0 ? timed : timed.endsAt(nowMs + endsInMs)).alert(nowMs)));
    }
  }

  /**
   * A silence that begins so long after it is asked for, lasts so long, or ends before its time.
   */
  record Quiet(long afterMs, int request, String source, long inMs, long forMs) {
    LogEntry at(long nowMs) {
      String name = "q" + request;
      return forMs == 0
          ? LogEntries.of(Hush.expired("w", name))
          : LogEntries.of(
              Hush.silence(
                  name, Math.max(0, nowMs + inMs), nowMs + inMs + forMs, Hush.source(source)));
    }
  }

  /** A command, so long after what came before it. */
  record Act(long afterMs, Command command, int pick) {}

  private static final long SECOND = 1000;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;

  static final Long[] LONG_AND_SHORT = {
    0L,
    0L,
    0L,
    1L,
    300L,
    SECOND,
    20 * SECOND,
    4 * MINUTE,
    6 * MINUTE,
    50 * MINUTE,
    20 * HOUR,
    DAY,
    8 * DAY,
    35 * DAY,
    -1L,
    -MINUTE,
    -2 * DAY
  };

  private World() {}

  /** Worlds of up to {@code sizeMax} alerts, one an entry; times move by one of {@code jumps}. */
  static Arbitrary<List<Item>> items(int sizeMax, Long... jumps) {
    return step(jumps).list().ofMinSize(1).ofMaxSize(sizeMax).map(World::items);
  }

  /** Worlds in which people meddle: every third entry is a command. */
  static Arbitrary<List<Item>> steered(int sizeMax, Long... jumps) {
    return Arbitraries.frequencyOf(
            Tuple.of(2, step(jumps).map(step -> (Object) step)),
            Tuple.of(1, act(jumps).map(act -> (Object) act)))
        .list()
        .ofMinSize(1)
        .ofMaxSize(sizeMax)
        .map(World::items);
  }

  /** Worlds in which people hide things for a time as well. */
  static Arbitrary<List<Item>> hushed(int sizeMax, Long... jumps) {
    return Arbitraries.frequencyOf(
            Tuple.of(4, step(jumps).map(step -> (Object) step)),
            Tuple.of(2, act(jumps).map(act -> (Object) act)),
            Tuple.of(2, quiet(jumps).map(quiet -> (Object) quiet)))
        .list()
        .ofMinSize(1)
        .ofMaxSize(sizeMax)
        .map(World::items);
  }

  private static Arbitrary<Quiet> quiet(Long... jumps) {
    return Combinators.combine(
            Arbitraries.of(jumps),
            Arbitraries.integers().between(1, 4),
            Arbitraries.of("s-g1", "s-g[12]", ".*"),
            Arbitraries.of(0L, 0L, -MINUTE, 20 * SECOND, HOUR),
            Arbitraries.of(0L, 1L, 10 * SECOND, MINUTE, HOUR, 2 * DAY))
        .as(Quiet::new);
  }

  private static Arbitrary<Act> act(Long... jumps) {
    return Combinators.combine(
            Arbitraries.of(jumps),
            body(),
            Arbitraries.integers().between(1, 20),
            Arbitraries.integers().between(0, 5),
            Arbitraries.of(0L, 0L, 0L, 0L, 1L, 2L),
            Arbitraries.of("w", "w", "w", "w", "w", "w", "v"),
            Arbitraries.integers().between(0, 9))
        .as(
            (afterMs, body, request, pick, revision, workspace, merging) -> {
              boolean merges = merging < 2 && body instanceof UpdateIncident;
              Command command =
                  Ask.of(
                      "r" + request,
                      IncidentId.of(pick, 1, 1),
                      merges ? UpdateIncident.newBuilder().build() : body);
              if (merges && merging == 0) {
                command.setMerge(new MergeIncident(IncidentId.of(1, 1, 1), "the other"));
              } else if (merges) {
                command.setMergedFrom(new MergedFrom(IncidentId.of(1, 1, 1), "the other"));
              }
              command.setExpectedRevision(revision);
              if (body instanceof CreateIncident) {
                return new Act(afterMs, command, Item.AS_IT_IS);
              }
              command.setWorkspace(workspace);
              return new Act(afterMs, command, pick);
            });
  }

  private static Arbitrary<Object> body() {
    Arbitrary<Object> create =
        Combinators.combine(
                Arbitraries.of("k1", "k2"), Arbitraries.of(Severity.UNSPECIFIED, Severity.P1))
            .as((name, severity) -> Ask.create("", name, severity).getBody());
    Arbitrary<Object> move =
        Arbitraries.of(IncidentState.values())
            .map(state -> UpdateIncident.newBuilder().setState(state).build());
    Arbitrary<Object> edit =
        Combinators.combine(
                Arbitraries.of(Severity.P0, Severity.P2, Severity.P4, null),
                Arbitraries.of("one", "other", null),
                Arbitraries.of("anna", "", null),
                Arbitraries.of("x", "y"))
            .as(
                (severity, title, assignee, label) ->
                    UpdateIncident.newBuilder()
                        .setSeverity(severity)
                        .setTitle(title)
                        .setAssignee(assignee)
                        .setSetLabels(Map.of(label, label))
                        .setRemoveLabels(List.of("x"))
                        .build());
    Arbitrary<Object> note = Arbitraries.of("one", "two").map(AddNote::new);
    return Arbitraries.frequencyOf(
        Tuple.of(1, create), Tuple.of(4, move), Tuple.of(1, edit), Tuple.of(1, note));
  }

  /** Commands that resolve whatever is open: {@code most} incidents, at most. */
  static List<Item> resolveAll(long timeMs, int most) {
    List<Item> items = new ArrayList<>();
    for (int pick = 0; pick < most; pick++) {
      Object body = UpdateIncident.newBuilder().setState(IncidentState.RESOLVED).build();
      Command command = Ask.of("end " + pick, IncidentId.of(1, 1, 1), body);
      items.add(new Item(timeMs, LogEntries.of(command), pick));
    }
    return items;
  }

  private static Arbitrary<Step> step(Long... jumps) {
    Arbitrary<Sighting> alert =
        Combinators.combine(
                Arbitraries.of("a", "b", "c"),
                Arbitraries.of("g1", "g2", "g3"),
                Arbitraries.of(AlertStatus.FIRING, AlertStatus.FIRING, AlertStatus.ENDED),
                Arbitraries.of(Severity.P0, Severity.P2, Severity.P3, Severity.P4),
                Arbitraries.of("", "", "i1", "i2", "i3", "i4"))
            .as(
                (condition, group, status, severity, id) ->
                    new Sighting(condition, group, status, severity, id, "", -1, 0));
    return Combinators.combine(
            Arbitraries.of(jumps),
            alert,
            Arbitraries.of(0L, 0L, SECOND, MINUTE, HOUR, -HOUR),
            Arbitraries.of(0L, 0L, 0L, 10 * SECOND, 10 * MINUTE, 2 * DAY, -SECOND))
        .as(Step::new);
  }

  private static List<Item> items(List<?> steps) {
    List<Item> items = new ArrayList<>();
    long nowMs = Log.START_MS;
    for (Object next : steps) {
      if (next instanceof Step step) {
        nowMs += step.afterMs();
        items.add(step.at(nowMs));
      } else if (next instanceof Quiet quiet) {
        nowMs += quiet.afterMs();
        items.add(new Item(nowMs, quiet.at(nowMs)));
      } else {
        Act act = (Act) next;
        nowMs += act.afterMs();
        items.add(new Item(nowMs, LogEntries.of(act.command()), act.pick()));
      }
    }
    return items;
  }

  /** The same with the time of each no less than of the one before: as the fold takes them. */
  static List<Item> monotonic(List<Item> items) {
    List<Item> result = new ArrayList<>();
    long nowMs = 0;
    for (Item item : items) {
      nowMs = Math.max(nowMs, item.timeMs());
      result.add(new Item(nowMs, item.entry(), item.pick()));
    }
    return result;
  }

  /** These rules, under which whatever comes and goes is soon flapping. */
  static Rules twitchy(Rules rules) {
    rules.setFlapping(new FlappingRule(3, 20 * MINUTE));
    return rules;
  }

  /** These rules, under which incidents hide others: those of one group all, severe ones others. */
  static Rules hiding(Rules rules) {
    Inhibition severe =
        new Inhibition(
            "severe",
            List.of(new Matcher("severity", MatchOperator.EQUAL, "P0")),
            List.of(new Matcher("severity", MatchOperator.MATCHES, "P3|P4")),
            List.of("type"));
    rules.setInhibitions(List.of(InhibitionTest.behind("g1"), severe));
    return rules;
  }

  /** The same world, in which rules of version 1 are active from the first moment on. */
  static List<Item> under(Rules rules, List<Item> world) {
    List<Item> items = new ArrayList<>();
    items.add(Item.rules(Log.START_MS, rules));
    items.addAll(world);
    return items;
  }

  /** Rules under which a lot happens in a minute. */
  static Rules brisk(int version) {
    Rules rules = DefaultRules.read();
    rules.setVersion(version);
    rules.setReopenWindowMs(Duration.ofSeconds(30).toMillis());
    rules.setAutoResolveAfterMs(Duration.ofMinutes(10).toMillis());
    rules.setReceiptWindowMs(Duration.ofMinutes(10).toMillis());
    rules.setCloseAfterMs(Duration.ofMinutes(5).toMillis());
    rules.setRetentionMs(Duration.ofMinutes(30).toMillis());
    rules.setTimelineMax(4);
    rules.setAlertsMax(2);
    rules.setNotesMax(2);
    rules.setOutcomeWindowMs(Duration.ofMinutes(8).toMillis());
    rules.setOutcomesMax(6);
    return rules;
  }
}
