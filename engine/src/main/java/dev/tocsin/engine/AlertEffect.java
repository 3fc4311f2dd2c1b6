package dev.tocsin.engine;

import java.util.Arrays;

/**
 * What the fold did with an alert that it had not seen before. It is kept beside the alert's
 * receipt, by its number: numbers are below 32, and none is ever used for anything else.
 */
public enum AlertEffect {
  /** Not kept: the receipt was written by software that did not know effects, or by newer. */
  UNKNOWN(0),
  /** It opened an incident. */
  OPENED(1),
  /** Its condition, new to it, joined its group's open incident. */
  JOINED(2),
  /** Its condition was known to an open incident, and was counted there. */
  REPEATED(3),
  /** Its condition had ended, and fires again in its incident, which is open. */
  REFIRED(4),
  /** It reopened its group's incident. */
  REOPENED(5),
  /** It ended its condition. */
  RESOLVED_CONDITION(6),
  /** It said that a condition had ended, and no such condition was active. */
  UNMATCHED(7),
  /** Counted and nothing else, because its rule says so. */
  SUPPRESSED(8),
  /** Counted and nothing else, because a person had resolved its condition's incident. */
  MUTED(9),
  /** Counted and nothing else, because it fired before its condition's end. */
  STALE(10);

  /** How many bits a number takes. */
  static final int BITS = 5;

  private static final AlertEffect[] BY_NUMBER = byNumber();

  private final int number;

  AlertEffect(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  /** The effect of that number; UNKNOWN for one of software to come. */
  static AlertEffect of(int number) {
    return BY_NUMBER[number];
  }

  private static AlertEffect[] byNumber() {
    AlertEffect[] all = new AlertEffect[1 << BITS];
    Arrays.fill(all, UNKNOWN);
    for (AlertEffect each : values()) {
      all[each.number] = each;
    }
    return all;
  }
}
