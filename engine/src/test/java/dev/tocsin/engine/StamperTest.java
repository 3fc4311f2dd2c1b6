package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class StamperTest {
  private final Stamper stamper = new Stamper(DefaultRules.read());

  @Property(tries = 200)
  void labelsOrder_doesNotMatter(
      @ForAll @Size(max = 8)
          Map<@StringLength(max = 5) String, @StringLength(max = 5) String> labels,
      @ForAll Random random) {
    List<String> names = new ArrayList<>(labels.keySet());
    Collections.shuffle(names, random);
    Map<String, String> shuffled = new LinkedHashMap<>();
    names.forEach(name -> shuffled.put(name, labels.get(name)));
    Alert one = stamped(alert -> alert.setLabels(labels));
    Alert other = stamped(alert -> alert.setLabels(shuffled));
    assertThat(other.getFingerprint()).isEqualTo(one.getFingerprint());
    assertThat(other.getGroup()).isEqualTo(one.getGroup());
    assertThat(other.getRoute()).isEqualTo(one.getRoute());
  }

  @Property(tries = 500)
  void parts_areKeptApart(
      @ForAll @Size(max = 4) List<@StringLength(max = 3) String> one,
      @ForAll @Size(max = 4) List<@StringLength(max = 3) String> other) {
    assertThat(hash(one).equals(hash(other))).isEqualTo(utf8(one).equals(utf8(other)));
  }

  @Property(tries = 200)
  void parts_areKeptApart_whereverTheyAreCut(
      @ForAll @StringLength(min = 1, max = 8) String text, @ForAll int one, @ForAll int other) {
    int oneCut = Math.floorMod(one, text.length() + 1);
    int otherCut = Math.floorMod(other, text.length() + 1);
    Key128 oneHash = hash(List.of(text.substring(0, oneCut), text.substring(oneCut)));
    Key128 otherHash = hash(List.of(text.substring(0, otherCut), text.substring(otherCut)));
    assertThat(oneHash.equals(otherHash)).isEqualTo(oneCut == otherCut);
  }

  @Test
  void absentPart_isNoEmptyOne() {
    assertThat(new KeyEncoder().begin('x').put(null).hash128())
        .isNotEqualTo(new KeyEncoder().begin('x').put("").hash128());
  }

  @Test
  void longParts_makeRoom() {
    KeyEncoder reused = new KeyEncoder();
    Key128 before = reused.begin('x').put("a").hash128();
    assertThat(reused.begin('x').put("b".repeat(100_000)).putLong(1).hash128())
        .isEqualTo(new KeyEncoder().begin('x').put("b".repeat(100_000)).putLong(1).hash128());
    assertThat(reused.begin('x').put("a").hash128()).isEqualTo(before);
  }

  @Test
  void fingerprint_isOfItsWorkspaceAndSource() {
    Alert one = stamped(alert -> {});
    assertThat(stamped(alert -> alert.setWorkspace("v")).getFingerprint())
        .isNotEqualTo(one.getFingerprint());
    assertThat(stamped(alert -> alert.setSource("s")).getFingerprint())
        .isNotEqualTo(one.getFingerprint());
    assertThat(stamped(alert -> alert.setDescription("d")).getFingerprint())
        .isEqualTo(one.getFingerprint());
  }

  @Test
  void dedupKey_takesThePlaceOfTitleAndLabels() {
    Alert one = Sighting.firing("a").alert(0);
    Alert other = Sighting.firing("b").alert(0);
    other.setTitle("other");
    other.setLabels(Map.of("x", "y"));
    stamper.stamp(one, "key", true);
    stamper.stamp(other, "key", true);
    assertThat(other.getFingerprint()).isEqualTo(one.getFingerprint());
    other.setSource("elsewhere");
    stamper.stamp(other, "key", true);
    assertThat(other.getFingerprint()).isNotEqualTo(one.getFingerprint());
  }

  @Test
  void volatileLabels_areNoPartOfTheFingerprint_butMayBeOfTheGroup() {
    Rules rules = DefaultRules.read();
    rules.setVolatileLabels(List.of("service"));
    Stamper volatiles = new Stamper(rules);
    Alert one = Sighting.firing("a").alert(0);
    Alert other = Sighting.firing("a").alert(0);
    other.setLabels(Map.of("service", "elsewhere"));
    volatiles.stamp(one, "", true);
    volatiles.stamp(other, "", true);
    assertThat(other.getFingerprint()).isEqualTo(one.getFingerprint());
    assertThat(other.getGroup()).isNotEqualTo(one.getGroup());
  }

  @Test
  void receipt_isOfIdAndStatusAndRoute_andOnlyForTheClientsOwnIds() {
    Alert alert = Sighting.firing("a").id("1").alert(0);
    Alert ended = Sighting.ended("a").id("1").alert(0);
    Alert elsewhere = Sighting.firing("a").id("1").alert(0);
    elsewhere.setLabels(Map.of("service", "elsewhere"));
    stamper.stamp(alert, "", true);
    stamper.stamp(ended, "", true);
    stamper.stamp(elsewhere, "", true);
    assertThat(alert.getReceipt())
        .isNotNull()
        .isNotEqualTo(ended.getReceipt())
        .isNotEqualTo(elsewhere.getReceipt());
    stamper.stamp(alert, "", false);
    assertThat(alert.getReceipt()).isNull();
  }

  @Test
  void severity_isTheRulesDefault_whereTheAlertHasNone() {
    assertThat(stamped(alert -> alert.setSeverity(Severity.UNSPECIFIED)).getSeverity())
        .isEqualTo(Severity.P3);
    assertThat(stamped(alert -> alert.setSeverity(Severity.P0)).getSeverity())
        .isEqualTo(Severity.P0);
  }

  @Test
  void defaultRules_areVersion1_andAFreshCopyEachTime() {
    Rules rules = DefaultRules.read();
    assertThat(rules.getVersion()).isEqualTo(1);
    assertThat(new Stamper(rules).rulesVersion()).isEqualTo(1);
    rules.setVersion(7);
    assertThat(DefaultRules.read().getVersion()).isEqualTo(1);
    assertThat(InitialState.rules().getVersion()).isZero();
  }

  private Alert stamped(Consumer<Alert> change) {
    Alert alert = Sighting.firing("a").alert(0);
    change.accept(alert);
    stamper.stamp(alert, "", true);
    return alert;
  }

  private static Key128 hash(List<String> parts) {
    KeyEncoder encoder = new KeyEncoder().begin('x');
    parts.forEach(encoder::put);
    return encoder.hash128();
  }

  /** As it is encoded: halves of surrogate pairs, which no message holds, are one to it. */
  private static List<String> utf8(List<String> parts) {
    return parts.stream()
        .map(
            part ->
                new String(
                    part.getBytes(java.nio.charset.StandardCharsets.UTF_8),
                    java.nio.charset.StandardCharsets.UTF_8))
        .toList();
  }
}
