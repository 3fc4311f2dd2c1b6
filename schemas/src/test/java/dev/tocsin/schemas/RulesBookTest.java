package dev.tocsin.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class RulesBookTest {
  private final RulesBook book = new RulesBook();

  @Test
  void book_knowsNothingAtFirst() {
    assertThat(book.active()).isEmpty();
    assertThat(book.newest()).isEmpty();
    assertThat(book.activeVersion()).isEqualTo(1);
  }

  @Test
  void version1_isActiveWithoutBeingNamed() {
    take(rules(1));
    assertThat(book.active()).contains(rules(1));
  }

  @Test
  void publishedVersion_isNotActive_untilItIsNamed() {
    take(rules(1));
    take(rules(2));
    assertThat(book.newest()).contains(rules(2));
    assertThat(book.active()).contains(rules(1));
    name(2);
    assertThat(book.active()).contains(rules(2));
  }

  @Test
  void activeVersion_isKnown_whereverCompactionLeftItsRecord() {
    name(3);
    assertThat(book.active()).isEmpty();
    take(rules(1));
    take(rules(2));
    take(rules(3));
    take(rules(4));
    assertThat(book.active()).contains(rules(3));
    assertThat(book.newest()).contains(rules(4));
  }

  @Test
  void activeVersion_neverGoesBack() {
    name(3);
    name(2);
    assertThat(book.activeVersion()).isEqualTo(3);
  }

  @Test
  void versionTakenTwice_countsOnce() {
    take(rules(1));
    take(rules(2));
    take(rules(2));
    take(rules(1));
    assertThat(book.active()).contains(rules(1));
    assertThat(book.newest()).contains(rules(2));
  }

  @Test
  void deletedRecord_isPassedOver() {
    assertThat(book.take(RulesBook.key(1), null)).isEmpty();
    assertThat(book.take(null, new byte[0])).isEmpty();
  }

  @Test
  void strangeRecord_isRefused() {
    byte[] noise = "noise".getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> book.take(RulesBook.key(1), noise))
        .isInstanceOf(Codec.UndecodableException.class);
    assertThatThrownBy(() -> book.take(RulesBook.activeKey(), noise))
        .isInstanceOf(Codec.UndecodableException.class);
  }

  @Test
  void activation_needsTheEngineThatKnowsRules_onlyWhereThereAreAny() {
    Rules plain = rules(2);
    Rules ruled = rules(2);
    ruled.setRules(List.of(Rule.newBuilder().setName("one").build()));
    assertThat(LogEntries.of(new RulesActivated(plain)).getEngineVersionMin()).isEqualTo(1);
    assertThat(LogEntries.of(new RulesActivated(ruled)).getEngineVersionMin()).isEqualTo(2);
  }

  private void take(Rules rules) {
    assertThat(book.take(RulesBook.key(rules.getVersion()), Codec.of(Rules.class).encode(rules)))
        .contains(rules);
  }

  private void name(int version) {
    assertThat(book.take(RulesBook.activeKey(), RulesBook.activeValue(version))).isEmpty();
  }

  private static Rules rules(int version) {
    return Rules.newBuilder()
        .setVersion(version)
        .setGroupBy(List.of("source"))
        .setRouteBy(List.of("source"))
        .setDefaultSeverity(Severity.P3)
        .setReceiptWindowMs(1L)
        .setReceiptsMax(1)
        .setReopenWindowMs(1L)
        .setAutoResolveAfterMs(1000L)
        .setCloseAfterMs(1L)
        .setRetentionMs(1L)
        .setOccurrenceIntervalMs(1L)
        .setTimelineMax(1)
        .setAlertsMax(1)
        .build();
  }
}
