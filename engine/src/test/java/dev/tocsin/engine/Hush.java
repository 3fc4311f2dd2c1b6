package dev.tocsin.engine;

import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.MatchOperator;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Silence;
import dev.tocsin.schemas.SilenceExpired;
import java.util.List;

/** Silences for tests, of anna in the workspace "w"; ben ends them. */
final class Hush {
  private Hush() {}

  static Key128 id(String request) {
    return Sighting.key("silence " + request);
  }

  /** One of everything that no other matchers are given for. */
  static Silence silence(String request, long startMs, long endMs, Matcher... matchers) {
    return new Silence(
        "w",
        id(request),
        Sighting.key(request),
        matchers.length == 0 ? List.of(source(".*")) : List.of(matchers),
        startMs,
        endMs,
        "anna",
        "because of " + request,
        startMs);
  }

  static SilenceExpired expired(String workspace, String request) {
    return new SilenceExpired(workspace, id(request), "ben");
  }

  static Matcher source(String expression) {
    return new Matcher("source", MatchOperator.MATCHES, expression);
  }

  static Matcher equal(String field, String value) {
    return new Matcher(field, MatchOperator.EQUAL, value);
  }

  static Alerts alerts(Sighting alert, long nowMs) {
    return new Alerts(1, List.of(alert.alert(nowMs)));
  }
}
