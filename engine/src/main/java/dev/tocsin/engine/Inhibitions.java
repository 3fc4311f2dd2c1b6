package dev.tocsin.engine;

import dev.tocsin.engine.IncidentDraft.Cause;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.InhibitionState;
import dev.tocsin.schemas.Key128;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Open incidents that hide others. When one opens or is reopened, the active inhibitions are asked
 * once what it is, by its fields of that moment: a source, a target, or neither. It is kept as
 * such, under the inhibition's name and its equal values, until it is not open any more; other
 * rules change nothing of that. So a mere repeat costs nothing here, and an inhibition that is gone
 * ends with its sources. A source that comes or goes changes the targets that are there already by
 * a timer, a millisecond of fold time later.
 *
 * <p>An incident without alerts lies in a partition of its own making and takes no part.
 */
final class Inhibitions {
  /** Of the sources, and of the targets, under one key. Changing it takes a new engine version. */
  static final int IDS_MAX = 1000;

  private Inhibitions() {}

  /** The draft comes to be open: says what it is, and marks it if something hides it. */
  static void enter(Stage stage, IncidentDraft draft) {
    Incident incident = draft.incident();
    if (stage.inhibitions().isEmpty() || incident.getDistinctAlerts() == 0) {
      return;
    }
    var fields = IncidentMatcher.fields(incident);
    List<Key128> sourceOf = new ArrayList<>();
    List<Key128> targetOf = new ArrayList<>();
    for (ActiveInhibition each : stage.inhibitions()) {
      boolean isSource = each.isSource(fields);
      if (isSource || each.isTarget(fields)) {
        Key128 key = each.key(fields);
        if (add(stage, key, isSource, draft)) {
          (isSource ? sourceOf : targetOf).add(key);
        } else {
          stage.state().setInhibitionsFull(stage.state().getInhibitionsFull() + 1);
        }
      }
    }
    incident.setSourceOf(sourceOf);
    incident.setTargetOf(targetOf);
    turned(stage, sourceOf);
    Key128 by = oldestSource(stage, targetOf);
    if (by != null) {
      draft.inhibit(by, stage.incident(by).getTitle(), draft.cause());
    }
  }

  /** The draft ceases to be open: nothing hides it, and it hides nothing. */
  static void leave(Stage stage, IncidentDraft draft) {
    Incident incident = draft.incident();
    turned(stage, incident.getSourceOf());
    incident.getSourceOf().forEach(key -> remove(stage, key, true, draft));
    incident.getTargetOf().forEach(key -> remove(stage, key, false, draft));
    incident.setSourceOf(List.of());
    incident.setTargetOf(List.of());
    incident.setInhibitedBy(null);
  }

  /**
   * A source of this key has come or gone: marks its targets accordingly.
   *
   * @return how many they are
   */
  static int due(Stage stage, Cause cause, Timer timer) {
    InhibitionState state = stage.inhibition(timer.about());
    if (state == null) {
      return 0;
    }
    told(stage, timer.about(), state);
    Cause turn = new Cause(state.getTurnedOffset(), state.getTurnedIndex(), state.getTurnedBy());
    state.getTargets().forEach(target -> mark(stage, cause, turn, stage.incident(target)));
    return state.getTargets().size();
  }

  /** Its timer has gone without that. */
  static void dropped(Stage stage, Key128 key) {
    InhibitionState state = stage.inhibition(key);
    if (state != null) {
      told(stage, key, state);
    }
  }

  private static void told(Stage stage, Key128 key, InhibitionState state) {
    InhibitionState told = Copies.of(state);
    told.setTurning(false);
    stage.put(key, told);
  }

  /**
   * Lets the targets know, at the next moment of fold time: once for all that comes and goes within
   * one, or each alert of an entry could change a thousand incidents.
   */
  private static void turned(Stage stage, List<Key128> keys) {
    for (Key128 key : keys) {
      InhibitionState state = Copies.of(stage.inhibition(key));
      if (!state.getTurning()) {
        state.setTurning(true);
        stage.put(key, state);
        stage.arm(new Timer(stage.now() + 1, Timer.Kind.INHIBITION, key));
      }
    }
  }

  private static void mark(Stage stage, Cause cause, Cause turn, Incident target) {
    Key128 by = target.getInhibitedBy();
    if (by != null && isSource(stage, target.getTargetOf(), by)) {
      return;
    }
    Key128 oldest = oldestSource(stage, target.getTargetOf());
    if (oldest != null) {
      IncidentDraft.of(stage, cause, target)
          .inhibit(oldest, stage.incident(oldest).getTitle(), turn)
          .done();
    } else if (by != null) {
      IncidentDraft.of(stage, cause, target).uninhibit(turn).done();
    }
  }

  private static Key128 oldestSource(Stage stage, List<Key128> keys) {
    Key128 oldest = null;
    for (Key128 key : keys) {
      List<Key128> sources = stage.inhibition(key).getSources();
      if (!sources.isEmpty() && (oldest == null || sources.get(0).compareTo(oldest) < 0)) {
        oldest = sources.get(0);
      }
    }
    return oldest;
  }

  private static boolean isSource(Stage stage, List<Key128> keys, Key128 id) {
    return keys.stream()
        .anyMatch(key -> Collections.binarySearch(stage.inhibition(key).getSources(), id) >= 0);
  }

  private static boolean add(Stage stage, Key128 key, boolean source, IncidentDraft draft) {
    Key128 id = draft.incident().getId();
    InhibitionState before = stage.inhibition(key);
    InhibitionState after =
        before == null ? InhibitionState.newBuilder().build() : Copies.of(before);
    List<Key128> ids = new ArrayList<>(source ? after.getSources() : after.getTargets());
    if (ids.size() >= IDS_MAX) {
      return false;
    }
    ids.add(-1 - Collections.binarySearch(ids, id), id);
    put(stage, key, after, source, ids, draft.cause());
    return true;
  }

  private static void remove(Stage stage, Key128 key, boolean source, IncidentDraft draft) {
    InhibitionState after = Copies.of(stage.inhibition(key));
    List<Key128> ids = new ArrayList<>(source ? after.getSources() : after.getTargets());
    ids.remove(draft.incident().getId());
    put(stage, key, after, source, ids, draft.cause());
  }

  private static void put(
      Stage stage,
      Key128 key,
      InhibitionState after,
      boolean source,
      List<Key128> ids,
      Cause cause) {
    if (source) {
      after.setSources(ids);
      after.setTurnedOffset(cause.offset());
      after.setTurnedIndex(cause.index());
      after.setTurnedBy(cause.actor());
    } else {
      after.setTargets(ids);
    }
    boolean empty = after.getSources().isEmpty() && after.getTargets().isEmpty();
    stage.put(key, empty ? null : after);
  }
}
