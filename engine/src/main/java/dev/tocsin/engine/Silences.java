package dev.tocsin.engine;

import dev.tocsin.engine.IncidentDraft.Cause;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Silence;
import dev.tocsin.schemas.SilenceExpired;
import dev.tocsin.schemas.SilencePhase;
import dev.tocsin.schemas.SilenceState;
import dev.tocsin.schemas.WorkspaceSilences;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Silences: what they hide, from their start to their end. An open incident is silenced by that one
 * of the active silences matching it which ends last, by the lowest id among equals. It is judged
 * when it comes to be open, and when a field changes that can be matched. When a silence begins or
 * ends, the workspace's open incidents are walked, so many in one commit; the timer comes again at
 * the same time until it is through, before the next entry or, if there are many, one after it.
 *
 * <p>One timer for each silence that is kept.
 */
public final class Silences {
  /** Silences of one workspace that have not ended. Changing it takes a new engine version. */
  public static final int LASTING_MAX = 1000;

  /** Of one workspace that have ended: the oldest go early. The same holds of it. */
  static final int ENDED_MAX = 1000;

  /** Incidents that one commit walks. The same holds of it. */
  static final int STEP = 500;

  private static final long KEPT_MS = Duration.ofHours(24).toMillis();

  /** From a silence's application to its end; more than any caller may ask for. */
  private static final long AHEAD_MS_MAX = Duration.ofDays(3653).toMillis();

  private Silences() {}

  /** Under what a workspace's silences are kept. Thread-safe. */
  public static Key128 key(String workspace) {
    return new KeyEncoder().begin('W').put(workspace).hash128();
  }

  /** Takes a silence up, unless it is known, over, or one too many. */
  static void create(Stage stage, long offset, Silence asked) {
    if (asked.getEndMs() <= asked.getStartMs()
        || asked.getStartMs() < 0
        || asked.getEndMs() - stage.now() > AHEAD_MS_MAX) {
      throw new IllegalArgumentException("a silence of such times: " + asked.getId());
    }
    if (stage.silence(asked.getId()) != null || asked.getEndMs() <= stage.now()) {
      return;
    }
    Silence silence =
        asked.getStartMs() == 0 ? Silence.newBuilder(asked).setStartMs(stage.now()).build() : asked;
    WorkspaceSilences of = ofWorkspace(stage, silence.getWorkspace());
    if (of.getLasting().size() >= LASTING_MAX) {
      stage.state().setSilencesFull(stage.state().getSilencesFull() + 1);
      return;
    }
    of.setLasting(with(of.getLasting(), silence.getId()));
    stage.put(key(silence.getWorkspace()), of);
    stage.state().setSilences(stage.state().getSilences() + 1);
    SilenceState state =
        SilenceState.newBuilder()
            .setSilence(silence)
            .setPhase(SilencePhase.PENDING)
            .setEndMs(silence.getEndMs())
            .setTimerMs(0)
            .build();
    go(stage, new Cause(offset, 0, silence.getAuthor()), state);
  }

  /** Ends a silence now, unless it has ended. */
  static void expire(Stage stage, long offset, SilenceExpired asked) {
    SilenceState before = stage.silence(asked.getId());
    if (before == null
        || before.getPhase() == SilencePhase.ENDED
        || before.getEndMs() <= stage.now()
        || !before.getSilence().getWorkspace().equals(asked.getWorkspace())) {
      return;
    }
    SilenceState state = Copies.of(before);
    stage.disarm(timer(state));
    state.setEndMs(stage.now());
    state.setExpiredBy(asked.getActor());
    go(stage, new Cause(offset, 0, asked.getActor()), state);
  }

  /** Its timer is due. Returns how many incidents it looked at. */
  static int due(Stage stage, Cause cause, Timer timer) {
    SilenceState state = stage.silence(timer.about());
    if (state.getPhase() == SilencePhase.ENDED
        && !state.getWalking()
        && state.getEndMs() + KEPT_MS <= stage.now()) {
      forget(stage, state);
      return 0;
    }
    return go(stage, cause, Copies.of(state));
  }

  /**
   * Does what the time is for, and sets the timer for what comes next.
   *
   * @return how many incidents it looked at
   */
  private static int go(Stage stage, Cause cause, SilenceState state) {
    SilencePhase phase = phase(state, stage.now());
    if (phase != state.getPhase()) {
      // Where it never began there is nothing to lift.
      state.setWalking(state.getSilence().getStartMs() <= stage.now());
      state.setWalkedTo(null);
      state.setPhase(phase);
      if (phase == SilencePhase.ENDED) {
        ended(stage, state);
      }
    }
    stage.put(state.getSilence().getId(), state);
    int walked = state.getWalking() ? walk(stage, cause, state) : 0;
    state.setTimerMs(state.getWalking() ? stage.now() : nextMs(state));
    stage.arm(timer(state));
    return walked;
  }

  private static SilencePhase phase(SilenceState state, long nowMs) {
    if (state.getEndMs() <= nowMs) {
      return SilencePhase.ENDED;
    }
    return state.getSilence().getStartMs() <= nowMs ? SilencePhase.ACTIVE : SilencePhase.PENDING;
  }

  private static long nextMs(SilenceState state) {
    return switch (state.getPhase()) {
      case PENDING -> state.getSilence().getStartMs();
      case ACTIVE -> state.getEndMs();
      default -> state.getEndMs() + KEPT_MS;
    };
  }

  private static int walk(Stage stage, Cause cause, SilenceState state) {
    Silence silence = state.getSilence();
    List<Key128> ids = stage.openIncidents(silence.getWorkspace(), state.getWalkedTo(), STEP);
    for (Key128 id : ids) {
      Incident incident = stage.incident(id);
      boolean begins = state.getPhase() == SilencePhase.ACTIVE;
      if (begins
          ? stage.matcher(silence).matches(incident)
          : silence.getId().equals(incident.getSilencedBy())) {
        IncidentDraft draft = IncidentDraft.of(stage, cause, incident);
        if (begins ? begin(stage, draft, silence) : judge(stage, draft)) {
          draft.done();
        }
      }
    }
    state.setWalking(ids.size() == STEP);
    state.setWalkedTo(state.getWalking() ? ids.get(ids.size() - 1) : null);
    return ids.size();
  }

  /**
   * Silences the draft by one that has just begun and matches it, if none that is active does so
   * for longer: the others were asked before.
   *
   * @return whether that changes it
   */
  private static boolean begin(Stage stage, IncidentDraft draft, Silence silence) {
    Key128 before = draft.incident().getSilencedBy();
    SilenceState by = before == null ? null : stage.silence(before);
    if (before != null && (by == null || phase(by, stage.now()) != SilencePhase.ACTIVE)) {
      return judge(stage, draft); // that one has ended, and its own walk has not come here yet
    }
    if (by != null && !endsAfter(silence, by.getSilence())) {
      return false;
    }
    draft.silence(silence);
    return true;
  }

  /**
   * Silences the draft, or lifts it, as the active silences say of its present fields.
   *
   * @return whether that changes it
   */
  static boolean judge(Stage stage, IncidentDraft draft) {
    Incident incident = draft.incident();
    if (stage.state().getSilences() == 0) {
      return false;
    }
    Silence by = matching(stage, incident);
    Key128 id = by == null ? null : by.getId();
    Key128 before = incident.getSilencedBy();
    if (Objects.equals(id, before)) {
      return false;
    }
    if (by == null) {
      draft.unsilence();
    } else {
      draft.silence(by);
    }
    return true;
  }

  private static Silence matching(Stage stage, Incident incident) {
    WorkspaceSilences of = stage.silences(key(incident.getWorkspace()));
    Alert fields = IncidentMatcher.fields(incident);
    Silence last = null;
    for (Key128 id : of == null ? List.<Key128>of() : of.getLasting()) {
      SilenceState state = stage.silence(id);
      // By the time: its own timer may be left for later.
      if (phase(state, stage.now()) == SilencePhase.ACTIVE
          && (last == null || endsAfter(state.getSilence(), last))
          && stage.matcher(state.getSilence()).test(fields)) {
        last = state.getSilence();
      }
    }
    return last;
  }

  private static boolean endsAfter(Silence one, Silence other) {
    return one.getEndMs() > other.getEndMs()
        || (one.getEndMs() == other.getEndMs() && one.getId().compareTo(other.getId()) < 0);
  }

  /** From those that last to those that have ended, of which the oldest may have to go. */
  private static void ended(Stage stage, SilenceState state) {
    Silence silence = state.getSilence();
    WorkspaceSilences of = ofWorkspace(stage, silence.getWorkspace());
    of.setLasting(without(of.getLasting(), silence.getId()));
    List<Key128> ended = with(of.getEnded(), silence.getId());
    SilenceState oldest = stage.silence(ended.get(0));
    if (ended.size() > ENDED_MAX && oldest != null && !oldest.getWalking()) {
      stage.disarm(timer(oldest));
      remove(stage, oldest);
      ended = ended.subList(1, ended.size());
    }
    of.setEnded(ended);
    stage.put(key(silence.getWorkspace()), of);
  }

  private static void forget(Stage stage, SilenceState state) {
    WorkspaceSilences of = ofWorkspace(stage, state.getSilence().getWorkspace());
    of.setEnded(without(of.getEnded(), state.getSilence().getId()));
    boolean none = of.getEnded().isEmpty() && of.getLasting().isEmpty();
    stage.put(key(state.getSilence().getWorkspace()), none ? null : of);
    remove(stage, state);
  }

  private static void remove(Stage stage, SilenceState state) {
    stage.put(state.getSilence().getId(), (SilenceState) null);
    stage.state().setSilences(stage.state().getSilences() - 1);
  }

  /** A copy. */
  private static WorkspaceSilences ofWorkspace(Stage stage, String workspace) {
    WorkspaceSilences of = stage.silences(key(workspace));
    return of == null ? WorkspaceSilences.newBuilder().build() : Copies.of(of);
  }

  private static Timer timer(SilenceState state) {
    return new Timer(state.getTimerMs(), Timer.Kind.SILENCE, state.getSilence().getId());
  }

  private static List<Key128> with(List<Key128> ids, Key128 more) {
    List<Key128> result = new ArrayList<>(ids);
    result.add(more);
    return result;
  }

  private static List<Key128> without(List<Key128> ids, Key128 less) {
    List<Key128> result = new ArrayList<>(ids);
    result.remove(less);
    return result;
  }
}
