package dev.tocsin.processor;

import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Fold;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.engine.Outcomes;
import dev.tocsin.engine.Stamper;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.FlappingRule;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Inhibition;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.MatchOperator;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Silence;
import dev.tocsin.schemas.SilenceExpired;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * A log made up at random: few conditions in few groups that fire, repeat, end, come again under
 * the same id, fall silent; people who meddle, some of them twice; and time that now creeps, now
 * jumps. The same seed makes the same log.
 */
final class World {
  /** An entry and its time. */
  record Entry(LogEntry entry, long atMs) {
    byte[] bytes() {
      return Codec.of(LogEntry.class).encode(entry);
    }
  }

  static final long START_MS = 1_790_000_000_000L;
  private static final Stamper STAMPER = new Stamper(DefaultRules.read());

  private static final List<IncidentState> STATES = List.of(IncidentState.values());
  private static final List<Severity> SEVERITIES = List.of(Severity.values());

  private final Random random;
  private final Random people;
  private final MemoryStore model = new MemoryStore();
  private final Fold fold = new Fold(model, event -> {});
  private final Set<Key128> requests = new LinkedHashSet<>();
  private final int engineVersion;
  private int offset;
  private final List<Alert> sent = new ArrayList<>();
  private long nowMs = START_MS;
  private boolean begun;

  /** One that is folded by the newest version of the engine. */
  World(long seed) {
    this(seed, Fold.ENGINE_VERSION);
  }

  World(long seed, int engineVersion) {
    this.engineVersion = engineVersion;
    random = new Random(seed);
    people = new Random(seed + 1);
  }

  /** The requests of all commands so far, by {@link Outcomes#key}. */
  Set<Key128> requests() {
    return requests;
  }

  /** Rules under which everything happens within minutes. */
  static Rules quick(int version) {
    Rules rules = DefaultRules.read();
    rules.setVersion(version);
    rules.setReceiptWindowMs(60_000L);
    rules.setReceiptsMax(200);
    rules.setReopenWindowMs(10_000L);
    rules.setAutoResolveAfterMs(40_000L);
    rules.setCloseAfterMs(60_000L);
    rules.setRetentionMs(120_000L);
    rules.setTimelineMax(8);
    rules.setAlertsMax(4);
    rules.setNotesMax(2);
    rules.setOutcomeWindowMs(50_000L);
    rules.setOutcomesMax(12);
    return rules;
  }

  /** These rules, under which groups flap and the incidents of one service hide all others. */
  private static Rules steering(Rules rules) {
    rules.setFlapping(new FlappingRule(4, 20_000L));
    rules.setInhibitions(
        List.of(
            new Inhibition(
                "first",
                List.of(new Matcher("labels.service", MatchOperator.EQUAL, "service 0")),
                List.of(new Matcher("source", MatchOperator.EQUAL, "s")),
                List.of("source"))));
    return rules;
  }

  /** The next entry, for a log that holds all before it and nothing else. */
  Entry next() {
    int who = begun ? people.nextInt(24) : -1;
    Entry next = who == 0 ? hushed() : who > 0 && who < 5 ? meddled() : made();
    fold.apply(next.entry(), offset++, next.atMs());
    return next;
  }

  /** People hide things for a time, or end that. */
  private Entry hushed() {
    Key128 id = Keys.of(7, people.nextInt(12));
    if (people.nextInt(4) == 0) {
      return new Entry(LogEntries.of(new SilenceExpired("default", id, "ben")), nowMs);
    }
    long startMs = nowMs + (people.nextInt(3) == 0 ? 10_000 : 0);
    String service = "service [0-" + people.nextInt(10) + "]";
    return new Entry(
        LogEntries.of(
            new Silence(
                people.nextInt(4) == 0 ? "w" : "default",
                id,
                id,
                List.of(new Matcher("labels.service", MatchOperator.MATCHES, service)),
                startMs,
                startMs + 1 + people.nextInt(60_000),
                "anna",
                "why",
                nowMs)),
        nowMs);
  }

  private Entry meddled() {
    String request = "r" + people.nextInt(60);
    List<Incident> kept = List.copyOf(model.incidents());
    Command command =
        kept.isEmpty() || people.nextInt(8) == 0
            ? Commands.create(request, "k" + people.nextInt(5))
            : command(request, kept.get(people.nextInt(kept.size())));
    requests.add(Outcomes.key(command.getWorkspace(), request));
    return new Entry(LogEntries.of(command), nowMs);
  }

  private Command command(String request, Incident incident) {
    return switch (people.nextInt(4)) {
      case 0 -> Commands.note(request, incident, "note of " + request);
      case 1 -> Commands.rate(request, incident, SEVERITIES.get(people.nextInt(6)));
      default -> Commands.move(request, incident, STATES.get(people.nextInt(STATES.size())));
    };
  }

  private Entry made() {
    if (!begun) {
      begun = true;
      LogEntry first = LogEntries.of(new RulesActivated(steering(quick(1))));
      first.setEngineActivated(engineVersion);
      return new Entry(first, nowMs);
    }
    int pace = random.nextInt(100);
    nowMs +=
        pace < 60 ? random.nextInt(50) : pace < 95 ? random.nextInt(3_000) : random.nextInt(90_000);
    long atMs = random.nextInt(20) == 0 ? nowMs - random.nextInt(5_000) : nowMs;
    if (random.nextInt(20) == 0) {
      return new Entry(LogEntries.tick(), atMs);
    }
    List<Alert> alerts = new ArrayList<>();
    for (int i = random.nextInt(6); i >= 0; i--) {
      alerts.add(alert());
    }
    return new Entry(LogEntries.of(new Alerts(1, alerts)), atMs);
  }

  private Alert alert() {
    if (!sent.isEmpty() && random.nextInt(8) == 0) {
      return sent.get(sent.size() - 1 - random.nextInt(Math.min(sent.size(), 50)));
    }
    boolean own = random.nextInt(4) > 0;
    Alert alert =
        Alert.newBuilder()
            .setWorkspace(random.nextInt(3) == 0 ? "w" : "default")
            .setSource("s")
            .setAlertId("id-" + sent.size())
            .setStatus(random.nextInt(4) == 0 ? AlertStatus.ENDED : AlertStatus.FIRING)
            .setFingerprint(Keys.of(0, 0))
            .setGroup(Keys.of(0, 0))
            .setRoute(0)
            .setTitle("title " + random.nextInt(5))
            .setSeverity(SEVERITIES.get(random.nextInt(SEVERITIES.size())))
            .setType(IncidentType.APPLICATION)
            .setLabels(Map.of("service", "service " + random.nextInt(10)))
            .setFiredAtMs(nowMs - random.nextInt(3_000))
            .setEndsAtMs(random.nextInt(10) == 0 ? nowMs + random.nextInt(20_000) : 0)
            .build();
    STAMPER.stamp(alert, "", own);
    sent.add(alert);
    return alert;
  }
}
