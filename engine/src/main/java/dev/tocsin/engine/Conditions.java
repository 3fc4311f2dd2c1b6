package dev.tocsin.engine;

import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LoggedAlert;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;

/**
 * How a condition lives: seen, silent, ended, forgotten. Keeps its one timer.
 *
 * <p>A condition that fires has an open incident, unless a person resolved that: alerts resolve one
 * only when all its conditions have ended. So which conditions are muted need not be written down.
 * It follows from what is stored anyway, for any number of them at once, and also after the
 * incident was closed or has left; and when a person reopens the incident, they are heard again.
 */
public final class Conditions {
  /**
   * A repeat is written down only if the last one written is older than this part of the allowed
   * silence.
   */
  private static final int SIGHTINGS_PER_SILENCE = 64;

  private Conditions() {}

  /**
   * A condition's key: it is known within its group, so that one dedup_key under two groups is two
   * conditions, wherever the groups' partitions lie. Both are hashes already; combined they stay
   * evenly spread.
   */
  public static Key128 key(LoggedAlert alert) {
    byte[] fingerprint = alert.fingerprint().bytes();
    byte[] group = alert.group().bytes();
    byte[] key = new byte[fingerprint.length];
    for (int i = 0; i < key.length; i++) {
      key[i] = (byte) (fingerprint[i] ^ group[(i + 1) % group.length]);
    }
    return new Key128(key);
  }

  /** Whether it was active when a person resolved its incident, and has not ended since. */
  static boolean muted(Stage stage, FingerprintState condition) {
    if (condition == null || condition.getStatus() != AlertStatus.FIRING) {
      return false;
    }
    Incident incident = stage.incident(condition.getIncident());
    return incident == null || !Lifecycle.isOpen(incident);
  }

  /** Whether its timer is due and was left for later, and its end has come. */
  static boolean overdue(Stage stage, FingerprintState condition) {
    Rules rules = stage.rules(condition.getRule());
    return condition.getTimerMs() <= stage.now() && dueMs(condition, rules) <= stage.now();
  }

  /**
   * A FIRING sighting: of an incident's condition, known or new.
   *
   * @param worst what counts as the condition's severity from now on
   */
  static void seen(
      Stage stage,
      Key128 key,
      FingerprintState before,
      LoggedAlert alert,
      Key128 incident,
      Severity worst) {
    boolean again =
        before != null
            && before.getStatus() == AlertStatus.FIRING
            && incident.equals(before.getIncident());
    if (again
        && alert.endsAtMs() == before.getEndsAtMs()
        && alert.rule().equals(before.getRule())
        && stage.now() < before.getLastSeenMs() + grain(stage, alert.rule())) {
      rate(stage, key, before, worst);
      return;
    }
    FingerprintState after = before == null ? new FingerprintState() : Copies.of(before);
    after.setIncident(incident);
    after.setStatus(AlertStatus.FIRING);
    after.setLastSeenMs(stage.now());
    after.setEndsAtMs(alert.endsAtMs());
    after.setRule(alert.rule());
    after.setSeverity(worst);
    keep(stage, key, before, after);
  }

  /** Nothing but the severity: when it was last seen stays as coarse as it is. */
  private static void rate(Stage stage, Key128 key, FingerprintState before, Severity worst) {
    if (before.getSeverity() != worst) {
      FingerprintState after = Copies.of(before);
      after.setSeverity(worst);
      stage.put(key, after);
    }
  }

  /**
   * The end of a condition.
   *
   * @param endedAtMs when, by the source's clock; not before an end that is known already
   * @param rule of the alert that ended it, or the one that it had
   */
  static void ended(Stage stage, Key128 key, FingerprintState before, long endedAtMs, String rule) {
    FingerprintState after = before == null ? new FingerprintState() : Copies.of(before);
    after.setStatus(AlertStatus.ENDED);
    after.setLastSeenMs(stage.now());
    after.setEndsAtMs(0L);
    after.setEndedAtMs(Math.max(after.getEndedAtMs(), endedAtMs));
    after.setRule(rule);
    after.setSeverity(Severity.UNSPECIFIED); // if it fires again, it begins anew
    keep(stage, key, before, after);
  }

  /**
   * Whether a FIRING of {@code firedAtMs} comes after the condition's end though it was before it.
   */
  static boolean outdated(FingerprintState condition, long firedAtMs) {
    return condition != null
        && condition.getStatus() == AlertStatus.ENDED
        && firedAtMs < condition.getEndedAtMs();
  }

  /**
   * When a condition's state has to be looked at: its silence is too long, its end comes, or it can
   * be forgotten.
   */
  static long dueMs(FingerprintState condition, Rules rules) {
    long silentMs = condition.getLastSeenMs() + rules.getAutoResolveAfterMs();
    if (condition.getStatus() == AlertStatus.ENDED) {
      return silentMs;
    }
    silentMs += rules.getAutoResolveAfterMs() / SIGHTINGS_PER_SILENCE;
    return condition.getEndsAtMs() == 0 ? silentMs : Math.min(silentMs, condition.getEndsAtMs());
  }

  /** Stores the condition and sees to it that its one timer is not later than it has to be. */
  static void keep(Stage stage, Key128 key, FingerprintState before, FingerprintState after) {
    long dueMs = Math.max(dueMs(after, stage.rules(after.getRule())), stage.now() + 1);
    boolean armed = before != null && before.getTimerMs() > stage.now();
    if (!armed || dueMs < before.getTimerMs()) {
      if (before != null) { // also one that is due and was left
        stage.disarm(new Timer(before.getTimerMs(), Timer.Kind.CONDITION, key));
      }
      stage.arm(new Timer(dueMs, Timer.Kind.CONDITION, key));
      after.setTimerMs(dueMs);
    }
    stage.put(key, after);
  }

  private static long grain(Stage stage, String rule) {
    return stage.rules(rule).getAutoResolveAfterMs() / SIGHTINGS_PER_SILENCE;
  }
}
