package dev.tocsin.engine;

import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Outcome;

/**
 * What became of commands: kept under their request for a time, and so many at most. They are part
 * of what is folded, so that a command that is on the log twice takes effect once, on whatever
 * machine and however often the log is folded.
 */
public final class Outcomes {
  private Outcomes() {}

  /** Under what the outcome of this request is kept. Thread-safe. */
  public static Key128 key(String workspace, String requestId) {
    return new KeyEncoder().begin('C').put(workspace).put(requestId).hash128();
  }

  /** Whether no more of them can be kept. */
  static boolean full(Stage stage) {
    return stage.state().getOutcomes() >= stage.rules().getOutcomesMax();
  }

  /** Keeps one that is new. */
  static void keep(Stage stage, Key128 key, Outcome outcome) {
    stage.put(key, outcome);
    stage.state().setOutcomes(stage.state().getOutcomes() + 1);
    stage.arm(new Timer(dueMs(stage, outcome), Timer.Kind.OUTCOME, key));
  }

  /** Its time may be over. */
  static void due(Stage stage, Timer timer) {
    Outcome outcome = stage.outcome(timer.about());
    if (outcome == null) {
      return;
    }
    long dueMs = dueMs(stage, outcome);
    if (dueMs > timer.dueMs()) {
      stage.arm(new Timer(dueMs, Timer.Kind.OUTCOME, timer.about())); // new rules keep it longer
      return;
    }
    stage.put(timer.about(), (Outcome) null);
    stage.state().setOutcomes(stage.state().getOutcomes() - 1);
  }

  private static long dueMs(Stage stage, Outcome outcome) {
    return outcome.getAtMs() + stage.rules().getOutcomeWindowMs();
  }
}
