package dev.tocsin.ops;

import dev.tocsin.engine.IncidentMatcher;
import dev.tocsin.engine.MatcherText;
import dev.tocsin.engine.RulesCheck;
import dev.tocsin.engine.Silences;
import dev.tocsin.schemas.Matcher;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/** The matchers of silences: the syntax and the bounds are those of rules. */
public final class SilenceMatchers {
  /** Silences of one workspace that have not ended. */
  public static final int LASTING_MAX = Silences.LASTING_MAX;

  private SilenceMatchers() {}

  /**
   * What their expressions may cost an incident: the size of each times its field's longest text.
   */
  public static long steps(List<Matcher> matchers) {
    return IncidentMatcher.steps(matchers);
  }

  /**
   * Reads and checks them.
   *
   * @param texts each {@code FIELD OPERATOR VALUE}
   * @param faults gets each fault: the path, beginning with {@code matchers}, and what is wrong
   * @return those that could be read
   */
  public static List<Matcher> read(List<String> texts, BiConsumer<String, String> faults) {
    List<Matcher> matchers = new ArrayList<>();
    boolean whole = true;
    for (int i = 0; i < texts.size(); i++) {
      try {
        matchers.add(MatcherText.read(texts.get(i)));
      } catch (IllegalArgumentException e) {
        faults.accept("matchers[" + i + "]", e.getMessage());
        whole = false;
      }
    }
    if (whole) { // else the places would not be those of the texts
      for (RulesCheck.Fault fault : IncidentMatcher.faults(matchers)) {
        faults.accept(fault.path(), fault.what());
      }
    }
    return matchers;
  }
}
