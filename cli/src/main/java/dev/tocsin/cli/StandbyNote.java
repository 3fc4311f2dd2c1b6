package dev.tocsin.cli;

import dev.tocsin.proto.incidents.Staleness;

/** Tells a person that a standby answered: what is shown may not be the present. */
final class StandbyNote {
  private StandbyNote() {}

  /** The one of the two that is further behind; {@code a} may be null. */
  static Staleness stalest(Staleness a, Staleness b) {
    return a == null || ms(b) > ms(a) ? b : a;
  }

  /** Says it, if a standby answered at all: {@code staleness} is null if none did. */
  static void say(Terminal terminal, Staleness staleness) {
    if (staleness != null) {
      terminal.say(
          "tocsin: the owner of some of it is away; a standby answered, %,d entries and at most %.1f s behind"
              .formatted(staleness.getEntries(), ms(staleness) / 1_000.0));
    }
  }

  private static long ms(Staleness staleness) {
    return staleness.getAge().getSeconds() * 1_000 + staleness.getAge().getNanos() / 1_000_000;
  }
}
