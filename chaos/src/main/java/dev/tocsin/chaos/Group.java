package dev.tocsin.chaos;

import dev.tocsin.chaos.Step.Kind;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.IncidentType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * One group of alerts through its life, and the record of it: which step comes next, chosen by a
 * random generator of its own, and what became of each. A step is chosen once the one before has
 * its outcome, so that their order is certain and {@link PlainModel} is exact.
 *
 * <p>Of one thread while it lives. After that it does not change any more.
 */
final class Group {
  private static final int CONDITIONS = 5;
  private static final int STEPS_MIN = 60;
  private static final int STEPS_SPREAD = 200;

  /** One in so many groups is steered by commands. */
  private static final int STEERED = 4;

  /** One in so many alerts whose outcome is unknown is never sent again. */
  private static final int ABANDONED = 8;

  /**
   * Far below the reopen window of 5 minutes, so that an alert which is long under way still comes
   * within it.
   */
  private static final Duration REOPEN_MAX = Duration.ofMinutes(1);

  /** Groups of one source. */
  private static final int PER_SOURCE = 3;

  private final int number;
  private final Random random;
  private final int stepsMax;
  private final boolean steered;
  private final List<Step> steps = new ArrayList<>();
  private final List<Step> alerts = new ArrayList<>();
  private final String[] lastFiring = new String[CONDITIONS];
  private final PlainModel model = new PlainModel();
  private long clockMs;
  private long lastDoneMs;
  private boolean over;

  /**
   * A group that has not begun.
   *
   * @param number tells it from all others of the run
   */
  Group(int number, long seed) {
    this.number = number;
    this.random = new Random(seed * 1_000_003 + number);
    this.stepsMax = STEPS_MIN + random.nextInt(STEPS_SPREAD);
    this.steered = number % STEERED == 0;
  }

  /** Shared with some other groups, which differ in their service and type. */
  String source() {
    return "chaos-" + number / PER_SOURCE;
  }

  String service() {
    return "s" + number;
  }

  /** How source and service of an incident name the group that it belongs to. */
  String name() {
    return source() + "/" + service();
  }

  /** Every step that has an outcome, in order. */
  List<Step> steps() {
    return steps;
  }

  /** The last alert that was acknowledged. */
  Step lastAlert() {
    return alerts.get(alerts.size() - 1);
  }

  /** The next step; empty if the group's life is over. */
  Optional<Step> next(long nowMs) {
    clockMs = Math.max(clockMs + 1, nowMs);
    boolean late = model.wouldReopen() && nowMs - lastDoneMs > REOPEN_MAX.toMillis();
    if (over || late || steps.size() >= stepsMax) {
      over = true;
      return Optional.empty();
    }
    return Optional.of(choose());
  }

  private Step choose() {
    if (alerts.isEmpty()) {
      return alert(Kind.FIRING, 0, id());
    }
    int dice = random.nextInt(1_000);
    if (dice < 5) {
      return alert(Kind.FAULTY, 0, id());
    } else if (dice < 35) { // sent again, as one would who missed the ack
      Step before = alerts.get(random.nextInt(alerts.size()));
      return new Step(before.kind(), before.condition(), before.id(), before.firedAtMs());
    } else if (dice < 75 && steered) {
      return new Step(command(), 0, id(), clockMs);
    }
    // A few conditions at first, more of them later.
    int condition = random.nextInt(Math.min(CONDITIONS, 1 + alerts.size() / 15));
    if (dice < 160) {
      // A FIRING and a RESOLVED may have one id: they are two alerts.
      boolean shared = lastFiring[condition] != null && random.nextBoolean();
      return alert(Kind.RESOLVED, condition, shared ? lastFiring[condition] : id());
    }
    return alert(Kind.FIRING, condition, id());
  }

  /** One that the newest incident's state allows. */
  private Kind command() {
    String state = model.state();
    return switch (random.nextInt(8)) {
      case 0 -> state.equals("DETECTED") ? Kind.TRIAGE : Kind.NOTE;
      case 1 -> state.equals("DETECTED") || state.equals("TRIAGED") ? Kind.INVESTIGATE : Kind.NOTE;
      case 2 -> state.equals("RESOLVED") ? Kind.NOTE : Kind.RESOLVE;
      case 3 -> state.equals("RESOLVED") ? Kind.NOTE : Kind.MERGE;
      case 4, 5 -> Kind.EXPLAIN;
      default -> Kind.NOTE;
    };
  }

  private Step alert(Kind kind, int condition, String id) {
    return new Step(kind, condition, id, clockMs);
  }

  private String id() {
    return "g" + number + "-" + steps.size();
  }

  /** What a step sends. */
  AlertMessage message(Step step) {
    return AlertMessage.newBuilder()
        .setAlertId(step.id())
        .setSource(source())
        .setTitle(step.kind() == Kind.FAULTY ? "" : "condition " + step.condition())
        .setDescription("of the group " + name() + ", sent while parts of Tocsin come and go")
        .setSeverity(PlainModel.severity(step.condition()))
        .setType(IncidentType.forNumber(1 + number % 7))
        .setStatus(
            step.kind() == Kind.RESOLVED
                ? AlertMessage.Status.RESOLVED
                : AlertMessage.Status.FIRING)
        .putLabels("service", service())
        .setFiredAt(
            com.google.protobuf.Timestamp.newBuilder()
                .setSeconds(step.firedAtMs() / 1_000)
                .setNanos((int) (step.firedAtMs() % 1_000) * 1_000_000))
        .build();
  }

  /** Whether a step of unknown outcome is to be left so: then it is the group's last. */
  boolean abandons(Step step) {
    return step.kind() != Kind.FAULTY && random.nextInt(ABANDONED) == 0;
  }

  /** Takes down what became of a step. */
  void record(Step step, long nowMs) {
    steps.add(step);
    lastDoneMs = nowMs;
    if (step.outcome() == Step.Outcome.DONE) {
      model.apply(step);
      if (step.kind().isAlert()) {
        alerts.add(step);
      }
      if (step.kind() == Kind.FIRING) {
        lastFiring[step.condition()] = step.id();
      }
    }
    over |= step.outcome() == Step.Outcome.UNKNOWN;
  }
}
