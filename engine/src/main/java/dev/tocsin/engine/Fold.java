package dev.tocsin.engine;

import dev.tocsin.engine.IncidentDraft.Cause;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.LoggedAlert;
import dev.tocsin.schemas.LoggedAlerts;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * The engine: a deterministic fold over one partition of the log. The same entries in the same
 * order give the same incidents and the same events, however often and wherever they are folded. It
 * reads no clock, no random number and no configuration: time is the log's, and the rules are
 * entries.
 *
 * <p>Fold time is the greatest log time so far, so it never goes back. Before an entry is applied,
 * what is due by its time is settled, each thing at its own due time: what an incident becomes does
 * not depend on whether an entry happened to come by in between. Where more is due than may be
 * settled before one entry ({@link #SETTLED_MAX}), as after an outage, the rest is settled before
 * the entries that follow, at fold time as it is then. Which entry settles what follows from the
 * log alone.
 *
 * <p>Each entry is all or nothing. Not thread-safe.
 *
 * <p>A version of the engine is two things. What this software <i>can</i> do is {@link
 * #ENGINE_VERSION}: an entry may say that it needs as much ({@link #versionNeeded}), and older
 * software must not go past it. What a partition <i>is folded by</i> is in its state: it begins at
 * 1 and moves at the entry that activates another, that entry included, so that every fold of the
 * log changes its behaviour at the same place. Where two versions make different things of the same
 * entry, the one in the state decides; where a version only adds kinds of entries, as 2 adds
 * commands to 1, there is nothing to decide, and nobody need activate it. (What the state decides:
 * 2 publishes what retention removes, bounds an incident's lists in bytes, and names the version of
 * the rules that an alert was stamped under, not the active one; 3 publishes repeats without the
 * incident that they did not change, bounds what is settled before one entry, and adds what rules
 * and people can say: flapping, inhibitions, silences, merging.)
 */
public final class Fold {
  /** The newest version of the engine that this software has; it has all before it as well. */
  public static final int ENGINE_VERSION = 3;

  /** Incidents name the version of the rules that their alert was stamped under. */
  private static final int STAMPED_VERSION_SINCE = 2;

  /**
   * Before one entry no more is settled than so much, and for each of its alerts so much more. A
   * timer is 1, an incident that it changes 1, and one that it looks at a tenth. Kafka Streams
   * applies some tens of entries before it looks whether to commit, and all of them have to end
   * before the transaction's time does. An alert arms fewer timers than it settles.
   */
  static final int SETTLED_MAX = 1_000;

  static final int SETTLED_PER_ALERT = 16;
  private static final int LOOKS = 10;

  /**
   * The engine failed on values that could be read: a fault of its own, or of the store that it
   * read from, which the cause tells. Nothing of the entry or of the timer has happened.
   */
  public static final class EngineFailure extends RuntimeException {
    private final transient Timer timer;

    private EngineFailure(String what, Timer timer, RuntimeException cause) {
      super(what + ": " + cause, cause);
      this.timer = timer;
    }

    /** The timer that it failed on; empty if it was the entry. */
    public Optional<Timer> timer() {
      return Optional.ofNullable(timer);
    }
  }

  private final FoldStore store;
  private final Consumer<IncidentEvent> events;
  private final int settledMax;
  private final int settledPerAlert;
  private final ActiveRules byRule = new ActiveRules();

  /** The entry before which something was settled last, and how much more may be. */
  private long settlingBefore = -1;

  private long left;

  /**
   * A fold that goes on from what {@code store} holds.
   *
   * @param events told of each change after it is committed, in order
   * @throws IllegalStateException if a newer version of the engine was activated there
   */
  public Fold(FoldStore store, Consumer<IncidentEvent> events) {
    this(store, events, SETTLED_MAX, SETTLED_PER_ALERT);
  }

  /** The same with other bounds of what is settled before an entry. */
  Fold(FoldStore store, Consumer<IncidentEvent> events, int settledMax, int settledPerAlert) {
    int version = store.state().getEngineVersion();
    if (version > ENGINE_VERSION) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "the partition is folded by engine version %d, and this software has up to %d",
              version,
              ENGINE_VERSION));
    }
    this.store = store;
    this.events = events;
    this.settledMax = settledMax;
    this.settledPerAlert = settledPerAlert;
  }

  /** The version of the engine that software must have to apply this entry. */
  public static int versionNeeded(LogEntry entry) {
    return Math.max(entry.getEngineVersionMin(), entry.getEngineActivated());
  }

  /**
   * Applies one entry.
   *
   * @param offset its offset in the partition
   * @param logTimeMs its own time, as the broker gave it
   * @throws EngineFailure on the entry, which {@link #skip} goes past, or on a timer before it,
   *     which {@link #drop} removes
   * @throws IllegalArgumentException if the entry needs more than {@link #ENGINE_VERSION}: the
   *     caller is to wait for newer software, and nothing has happened
   */
  public void apply(LogEntry entry, long offset, long logTimeMs) {
    if (versionNeeded(entry) > ENGINE_VERSION) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the entry at offset %d needs engine version %d, and this software has up to %d",
              offset,
              versionNeeded(entry),
              ENGINE_VERSION));
    }
    int alerts = entry.getPayload() instanceof Alerts payload ? payload.getAlerts().size() : 0;
    apply(offset, logTimeMs, alerts, stage -> apply(stage, entry, offset));
  }

  /**
   * Applies an entry of alerts: the same as {@link #apply(LogEntry, long, long)} of the whole.
   *
   * @throws EngineFailure as there
   */
  public void apply(LoggedAlerts alerts, long offset, long logTimeMs) {
    int count = alerts.alerts().size();
    apply(offset, logTimeMs, count, stage -> apply(stage, alerts, offset));
  }

  private void apply(long offset, long logTimeMs, int alerts, Consumer<Stage> entry) {
    settle(offset, logTimeMs, alerts);
    Stage stage = at(offset, logTimeMs);
    try {
      entry.accept(stage);
    } catch (RuntimeException e) {
      throw new EngineFailure("entry at offset " + offset, null, e);
    }
    commit(stage);
  }

  private static void apply(Stage stage, LogEntry entry, long offset) {
    PartitionState state = stage.state();
    state.setEngineVersion(Math.max(state.getEngineVersion(), entry.getEngineActivated()));
    if (entry.getCommand() != null) {
      CommandFold.apply(stage, offset, entry.getCommand());
    } else if (entry.getSilence() != null) {
      Silences.create(stage, offset, entry.getSilence());
    } else if (entry.getSilenceExpired() != null) {
      Silences.expire(stage, offset, entry.getSilenceExpired());
    } else if (entry.getPayload() instanceof Alerts alerts) {
      apply(stage, LoggedAlerts.of(alerts), offset);
    } else if (entry.getPayload() instanceof RulesActivated activated) {
      activate(stage, activated.getRules());
    }
  }

  private static void apply(Stage stage, LoggedAlerts alerts, long offset) {
    // Edges stamp under the version before for a moment after an activation.
    int stampedUnder =
        stage.isSince(STAMPED_VERSION_SINCE) ? alerts.rulesVersion() : stage.rules().getVersion();
    List<LoggedAlert> all = alerts.alerts();
    for (int index = 0; index < all.size(); index++) {
      AlertFold.apply(stage, new Cause(offset, index), all.get(index), stampedUnder);
    }
  }

  /**
   * Goes past an entry that cannot be applied: its time counts, and that it was skipped.
   *
   * @throws EngineFailure on a timer before it
   */
  public void skip(long offset, long logTimeMs) {
    settle(offset, logTimeMs, 0);
    Stage stage = at(offset, logTimeMs);
    stage.state().setDeadLettered(stage.state().getDeadLettered() + 1);
    commit(stage);
  }

  /** Removes a timer that the engine failed on: what it was to bring about does not happen. */
  public void drop(Timer timer) {
    Stage stage = new Stage(store, byRule);
    stage.disarm(timer);
    TimerFold.dropped(stage, timer);
    commit(stage);
  }

  /** When the next thing is due, in fold time; empty if nothing is. */
  public OptionalLong dueMs() {
    Optional<Timer> first = store.firstTimer();
    return first.isPresent() ? OptionalLong.of(first.get().dueMs()) : OptionalLong.empty();
  }

  /**
   * Settles what is due by {@code untilMs}, one timer at a time, in order, each at its own due
   * time, or at fold time where that has come later.
   *
   * @param alerts in the entry before which it is settled
   */
  private void settle(long offset, long untilMs, int alerts) {
    if (offset != settlingBefore) {
      settlingBefore = offset;
      left = settledMax + (long) settledPerAlert * alerts;
    }
    long until = Math.max(untilMs, store.state().getFoldTimeMs());
    Optional<Timer> first = store.firstTimer();
    while (first.isPresent() && first.get().dueMs() <= until) {
      Stage stage = new Stage(store, byRule);
      if (left <= 0 && stage.isSince(TimerFold.LATE_SINCE)) {
        return;
      }
      left--; // also where it fails
      advance(stage.state(), first.get().dueMs());
      try {
        left -= TimerFold.apply(stage, Cause.time(offset), first.get()) / LOOKS;
      } catch (RuntimeException e) {
        throw new EngineFailure("timer " + first.get(), first.get(), e);
      }
      left -= stage.changes().incidents().size();
      commit(stage);
      first = store.firstTimer();
    }
  }

  private Stage at(long offset, long logTimeMs) {
    Stage stage = new Stage(store, byRule);
    advance(stage.state(), logTimeMs);
    stage.state().setAppliedOffset(offset + 1);
    return stage;
  }

  /**
   * Only what the fold itself needs is checked, by bounds that stay: whatever was activated once is
   * activated again when the log is folded anew, also by software whose expressions, say, are
   * others.
   */
  private static void activate(Stage stage, Rules rules) {
    if (rules.getVersion() > stage.rules().getVersion()) {
      RulesNumbers.require(rules);
      stage.activate(rules);
    }
  }

  private static void advance(PartitionState state, long toMs) {
    state.setFoldTimeMs(Math.max(state.getFoldTimeMs(), toMs));
  }

  private void commit(Stage stage) {
    store.commit(stage.changes());
    stage.changes().events().forEach(events);
  }
}
