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

  private final CallerSeal seal = new CallerSeal("a secret of some length");

  @Test
  void open_givesTheCallerThatWasSealed() {
    assertThat(seal.open(seal.seal(ANNA, NOW), NOW)).contains(ANNA);
    assertThat(seal.open(seal.seal(new Caller("", ""), NOW), NOW)).contains(new Caller("", ""));
  }

  @Test
  void open_takesClocksThatDifferByAMinuteAndNoMore() {
    String sealed = seal.seal(ANNA, NOW);
    Duration minute = CallerSeal.SKEW_MAX;
    assertThat(seal.open(sealed, NOW.plus(minute))).contains(ANNA);
    assertThat(seal.open(sealed, NOW.minus(minute))).contains(ANNA);
    assertThat(seal.open(sealed, NOW.plus(minute).plusMillis(1))).isEmpty();
    assertThat(seal.open(sealed, NOW.minus(minute).minusMillis(1))).isEmpty();
  }

  @Test
  void open_refusesWhateverIsChanged() {
    String sealed = seal.seal(ANNA, NOW);
    for (int i = 0; i < sealed.length(); i++) {
      // The last character's low bits are beyond the mac: another one may say the same.
      char changed = sealed.charAt(i) == 'A' ? 'w' : 'A';
      String other = sealed.substring(0, i) + changed + sealed.substring(i + 1);
      assertThat(seal.open(other, NOW)).as("changed at %d", i).isEmpty();
    }
  }

  @Test
  void open_refusesAnotherSecretAndWhatIsNoSeal() {
    String other = new CallerSeal("another secret of length").seal(ANNA, NOW);
    assertThat(seal.open(other, NOW)).isEmpty();
    String sealed = seal.seal(ANNA, NOW);
    for (String header :
        new String[] {
          "", ".", "1....", "....", "1.a.b.c.d", "2" + sealed.substring(1), sealed + "."
        }) {
      assertThat(seal.open(header, NOW)).as(header).isEmpty();
    }
    assertThat(seal.open("1." + "a".repeat(5_000) + ".b.1.c", NOW)).isEmpty();
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
