package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.runtime.Settings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class QueryConfigTest {
  @Test
  void config_hasDefaultsForAllButTheProcessors() {
    Settings settings = Settings.of(Map.of("query.processors", "a:1, b:2"));
    QueryConfig config = QueryConfig.read(settings);
    settings.check();
    assertThat(config)
        .isEqualTo(new QueryConfig(List.of("a:1", "b:2"), Duration.ofSeconds(5), 20_000, 64));
  }

  @Test
  void config_tellsEveryFaultAtOnce() {
    Settings settings =
        Settings.of(
            Map.of(
                "query.timeout", "0s",
                "query.gets-max", "0",
                "query.lists-max", "many",
                "query.procesors", "a:1"));
    QueryConfig.read(settings);
    assertThatThrownBy(settings::check)
        .isInstanceOf(Settings.SettingsException.class)
        .message()
        .hasLineCount(5)
        .contains(
            "query.processors: is missing",
            "query.timeout: ",
            "query.gets-max: ",
            "query.lists-max: ",
            "query.procesors: no such setting");
  }

  @Test
  void config_refusesTheSameProcessorTwice() {
    Settings settings = Settings.of(Map.of("query.processors", "a:1,a:1"));
    QueryConfig.read(settings);
    assertThatThrownBy(settings::check).hasMessage("query.processors: names a processor twice");
  }

  @Test
  void app_refusesAddressesWithoutAPort() {
    Map<String, String> environment =
        Map.of("TOCSIN_QUERY_PROCESSORS", "inprocess", "TOCSIN_QUERY_HOST", "0.0.0.0");
    assertThatThrownBy(() -> QueryMain.configuration(new String[0], environment))
        .hasMessageContaining("'inprocess' is not HOST:PORT")
        .hasMessageContaining("query.host: ");
  }
}
