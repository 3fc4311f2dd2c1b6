package dev.tocsin.engine;

import static dev.tocsin.engine.Log.START_MS;
import static dev.tocsin.engine.Sighting.ended;
import static dev.tocsin.engine.Sighting.firing;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.UpdateIncident;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What a receipt remembers of what came of its alert. */
class AlertEffectTest {
  private final Log log = new Log();

  @Test
  void opened_joined_repeated() {
    log.send(firing("cpu").id("1"), firing("disk").id("2"), firing("cpu").id("3"));
    assertThat(receipt(firing("cpu").id("1"))).isEqualTo(expected(1, 0, AlertEffect.OPENED));
    assertThat(receipt(firing("disk").id("2"))).isEqualTo(expected(1, 1, AlertEffect.JOINED));
    assertThat(receipt(firing("cpu").id("3"))).isEqualTo(expected(1, 2, AlertEffect.REPEATED));
    log.restart();
    assertThat(receipt(firing("disk").id("2"))).isEqualTo(expected(1, 1, AlertEffect.JOINED));
  }

  @Test
  void redelivery_leavesTheReceiptOfTheFirst() {
    log.send(firing("cpu").id("1")).send(firing("cpu").id("1"));
    assertThat(receipt(firing("cpu").id("1"))).isEqualTo(expected(1, 0, AlertEffect.OPENED));
  }

  @Test
  void refired_whileItsIncidentIsOpen_reopenedAfterwards() {
    log.send(firing("cpu"), firing("disk")).send(ended("cpu").id("1"));
    log.send(firing("cpu").id("2"));
    assertThat(effect(ended("cpu").id("1"))).isEqualTo(AlertEffect.RESOLVED_CONDITION);
    assertThat(effect(firing("cpu").id("2"))).isEqualTo(AlertEffect.REFIRED);
    log.send(ended("cpu"), ended("disk")).send(firing("cpu").id("3"));
    assertThat(effect(firing("cpu").id("3"))).isEqualTo(AlertEffect.REOPENED);
    log.send(ended("cpu")).send(firing("net").id("4"));
    assertThat(effect(firing("net").id("4")))
        .as("a new one reopens too")
        .isEqualTo(AlertEffect.REOPENED);
  }

  @Test
  void late_inAnOpenIncident_isARepeat_elseStale() {
    log.send(firing("cpu"), firing("disk")).send(ended("cpu"));
    log.send(firing("cpu").firedAt(START_MS - 1).id("1"));
    assertThat(effect(firing("cpu").id("1"))).isEqualTo(AlertEffect.REPEATED);
    log.send(ended("disk")).send(firing("cpu").firedAt(START_MS - 1).id("2"));
    assertThat(effect(firing("cpu").id("2"))).isEqualTo(AlertEffect.STALE);
  }

  @Test
  void resolved_thatMatchesNothing_isUnmatched() {
    log.send(ended("cpu").id("1"));
    assertThat(effect(ended("cpu").id("1"))).isEqualTo(AlertEffect.UNMATCHED);
  }

  @Test
  void condition_thatAPersonResolved_isMuted() {
    log.send(firing("cpu"));
    log.ask(
        Ask.of(
            "r",
            log.only().getId(),
            UpdateIncident.newBuilder().setState(IncidentState.RESOLVED).build()));
    log.send(firing("cpu").id("1"));
    assertThat(effect(firing("cpu").id("1"))).isEqualTo(AlertEffect.MUTED);
  }

  @Test
  void suppressedByItsRule_isSuppressed() {
    Alert alert = firing("cpu").id("1").alert(log.nowMs());
    alert.setSuppressed(true);
    log.sendRaw(alert);
    assertThat(effect(firing("cpu").id("1"))).isEqualTo(AlertEffect.SUPPRESSED);
  }

  @Test
  void numbers_areOnWhatIsKept_andNeverChange() {
    assertThat(AlertEffect.values()).hasSize(11);
    assertThat(Arrays.stream(AlertEffect.values()).map(AlertEffect::number))
        .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    assertThat(AlertEffect.values()).allMatch(each -> AlertEffect.of(each.number()) == each);
    assertThat(AlertEffect.of(31)).isEqualTo(AlertEffect.UNKNOWN);
  }

  private AlertEffect effect(Sighting sighting) {
    return receipt(sighting).effect();
  }

  private Receipt receipt(Sighting sighting) {
    Receipt found = log.store.receipt(sighting.alert(0).getReceipt()).orElseThrow();
    return new Receipt(Sighting.key(""), found.offset(), found.index(), found.effect());
  }

  private static Receipt expected(long offset, int index, AlertEffect effect) {
    return new Receipt(Sighting.key(""), offset, index, effect);
  }
}
