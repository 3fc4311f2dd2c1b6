package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CallerSealTest {
  private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
  private static final Caller ANNA = new Caller("wörk.space", "anna@example.com");

  private static final String GET = "incidents.IncidentService/GetIncident";

  private final CallerSeal seal = new CallerSeal("a secret of some length");

  @Test
  void open_givesTheCallerThatWasSealed() {
    assertThat(seal.open(seal.seal(ANNA, GET, NOW), GET, NOW)).contains(ANNA);
    assertThat(seal.open(seal.seal(new Caller("", ""), GET, NOW), GET, NOW))
        .contains(new Caller("", ""));
  }

  @Test
  void open_takesClocksThatDifferByAMinuteAndNoMore() {
    String sealed = seal.seal(ANNA, GET, NOW);
    Duration minute = CallerSeal.SKEW_MAX;
    assertThat(seal.open(sealed, GET, NOW.plus(minute))).contains(ANNA);
    assertThat(seal.open(sealed, GET, NOW.minus(minute))).contains(ANNA);
    assertThat(seal.open(sealed, GET, NOW.plus(minute).plusMillis(1))).isEmpty();
    assertThat(seal.open(sealed, GET, NOW.minus(minute).minusMillis(1))).isEmpty();
  }

  @Test
  void open_refusesWhatWasSealedForAnotherMethod() {
    String sealed = seal.seal(ANNA, GET, NOW);
    String resolve = "incidents.IncidentService/ResolveIncident";
    assertThat(seal.open(sealed, resolve, NOW)).isEmpty();
    assertThat(seal.open(sealed, "", NOW)).isEmpty();
  }

  @Test
  void open_refusesWhateverIsChanged() {
    String sealed = seal.seal(ANNA, GET, NOW);
    for (int i = 0; i < sealed.length(); i++) {
      // The last character's low bits are beyond the mac: another one may say the same.
      char changed = sealed.charAt(i) == 'A' ? 'w' : 'A';
      String other = sealed.substring(0, i) + changed + sealed.substring(i + 1);
      assertThat(seal.open(other, GET, NOW)).as("changed at %d", i).isEmpty();
    }
  }

  @Test
  void open_refusesAnotherSecretAndWhatIsNoSeal() {
    String other = new CallerSeal("another secret of length").seal(ANNA, GET, NOW);
    assertThat(seal.open(other, GET, NOW)).isEmpty();
    String sealed = seal.seal(ANNA, GET, NOW);
    for (String header :
        new String[] {
          "", ".", "2....", "....", "2.a.b.c.d", "1" + sealed.substring(1), sealed + "."
        }) {
      assertThat(seal.open(header, GET, NOW)).as(header).isEmpty();
    }
    assertThat(seal.open("2." + "a".repeat(5_000) + ".b.1.c", GET, NOW)).isEmpty();
  }

  @Test
  void read_wantsASecretOfSomeLengthAndTellsNobody() {
    assertThat(CallerSeal.read(Settings.of(Map.of()))).isEmpty();
    Settings good = Settings.of(Map.of("forward.secret", "0123456789abcdef"));
    assertThat(CallerSeal.read(good).orElseThrow()).hasToString("CallerSeal[***]");
    good.check();
    Settings weak = Settings.of(Map.of("forward.secret", "hush"));
    assertThat(CallerSeal.read(weak)).isPresent();
    assertThatThrownBy(weak::check)
        .hasMessage("forward.secret: must have 16 bytes or more")
        .hasMessageNotContaining("hush");
  }
}
