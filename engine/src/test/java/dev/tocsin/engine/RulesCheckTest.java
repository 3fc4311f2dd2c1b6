package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import java.util.List;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RulesCheckTest {
  @Test
  void defaultRules_areTaken() {
    assertThatCode(() -> RulesCheck.require(DefaultRules.read())).doesNotThrowAnyException();
  }

  @Test
  void rules_areRefused_namingEveryFault() {
    Rules rules = DefaultRules.read();
    rules.setGroupBy(List.of("source", "labels.", "description"));
    rules.setRouteBy(List.of("type", "nonsense"));
    assertThatThrownBy(() -> new Stamper(rules))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("groupBy: 'labels.'")
        .hasMessageContaining("groupBy: 'description'")
        .hasMessageContaining("routeBy: 'nonsense'")
        .hasMessageContaining("routeBy must be a part of groupBy");
    rules.setGroupBy(List.of());
    rules.setRouteBy(List.of());
    assertThatThrownBy(() -> new Stamper(rules))
        .hasMessageContaining("groupBy must name at least one field")
        .hasMessageContaining("routeBy must name at least one field");
  }

  static Stream<String> numbers() {
    return Rules.getClassSchema().getFields().stream()
        .filter(
            field ->
                field.schema().getType() == Schema.Type.LONG
                    || field.schema().getType() == Schema.Type.INT)
        .map(Schema.Field::name)
        .filter(name -> !name.equals("version"));
  }

  @ParameterizedTest
  @MethodSource("numbers")
  void everyNumber_hasBounds(String name) {
    Schema.Field field = Rules.getClassSchema().getField(name);
    boolean isLong = field.schema().getType() == Schema.Type.LONG;
    for (long value : new long[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, Long.MAX_VALUE}) {
      if (isLong ? value != Integer.MAX_VALUE : value != Long.MAX_VALUE) {
        Rules rules = DefaultRules.read();
        if (isLong) {
          rules.put(field.pos(), value);
        } else {
          rules.put(field.pos(), (int) value);
        }
        assertThatThrownBy(() -> RulesCheck.require(rules))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining(name + " must be from");
      }
    }
  }

  @Test
  void unspecifiedSeverity_isNoDefault() {
    Rules rules = DefaultRules.read();
    rules.setDefaultSeverity(Severity.UNSPECIFIED);
    assertThatThrownBy(() -> new Stamper(rules)).hasMessageContaining("defaultSeverity");
  }

  @Test
  void brokenRules_areNotActivated() {
    Log log = new Log();
    Rules rules = DefaultRules.read();
    rules.setVersion(2);
    rules.setAutoResolveAfterMs(0);
    rules.setTimelineMax(0);
    var entry = LogEntries.of(new RulesActivated(rules));
    assertThatThrownBy(() -> log.append(entry))
        .isInstanceOf(Fold.EngineFailure.class)
        .hasMessageContaining("autoResolveAfterMs")
        .hasMessageContaining("timelineMax");
    log.skip().send(Sighting.firing("cpu"));
    assertThat(log.store.rules().getVersion()).isEqualTo(1);
    assertThat(log.only().getRulesVersion()).isEqualTo(1);
  }
}
