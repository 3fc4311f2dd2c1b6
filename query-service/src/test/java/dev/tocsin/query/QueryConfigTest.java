package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class QueryConfigTest {
  @Test
  void config_hasDefaultsForAllButTheProcessorsAndTheBroker() {
    QueryConfig config = read(Map.of());
    assertThat(config)
        .isEqualTo(
            new QueryConfig(
                List.of("a:1", "b:2"), Duration.ofSeconds(5), 20_000, 64, config.commands()));
    assertThat(config.commands().commandsMax()).isEqualTo(1_000);
    assertThat(config.commands().topics()).isEqualTo(Topics.DEFAULT);
    assertThat(config.commands().kafka())
        .containsEntry("bootstrap.servers", "k:9092")
        .containsEntry("acks", "all")
        .containsEntry("enable.idempotence", "true")
        .containsEntry("client.id", "tocsin-query")
        .containsEntry("delivery.timeout.ms", "4000")
        .containsEntry("request.timeout.ms", "2000");
  }

  @Test
  void kafka_isPassedOnButForWhatFollowsFromTheTimeOfACall() {
    CommandConfig commands =
        read(Map.of(
                "query.timeout", "2s",
                "log.prefix", "other",
                "kafka.security.protocol", "SSL",
                "kafka.client.id", "mine",
                "kafka.linger.ms", "50",
                "kafka.delivery.timeout.ms", "120000"))
            .commands();
    assertThat(commands.topics().log()).isEqualTo("other.log");
    assertThat(commands.kafka())
        .containsEntry("security.protocol", "SSL")
        .containsEntry("client.id", "mine")
        .containsEntry("linger.ms", "0")
        .containsEntry("delivery.timeout.ms", "1600")
        .containsEntry("request.timeout.ms", "800")
        .containsEntry("max.block.ms", "1000");
  }

  @Test
  void kafka_mayNotBreakAGuaranteeNorRefuseACommand() {
    assertThatThrownBy(
            () ->
                read(
                    Map.of(
                        "kafka.acks", "1",
                        "kafka.enable.idempotence", "false",
                        "kafka.transactional.id", "x",
                        "kafka.max.request.size", "100000",
                        "log.prefix", "no spaces",
                        "query.commands-max", "0")))
        .isInstanceOf(Settings.SettingsException.class)
        .message()
        .contains(
            "kafka.acks: must be all or left out",
            "kafka.enable.idempotence: must be true or left out",
            "kafka.transactional.id: must be left out",
            "kafka.max.request.size: must be at least 524288",
            "log.prefix: ",
            "query.commands-max: ");
    assertThatThrownBy(() -> read(Map.of("kafka.retries", "many")))
        .hasMessageContaining("kafka.*: ");
  }

  private static QueryConfig read(Map<String, String> more) {
    Map<String, String> all = new HashMap<>(more);
    all.put("query.processors", "a:1, b:2");
    all.put("kafka.bootstrap.servers", "k:9092");
    Settings settings = Settings.of(all);
    QueryConfig config = QueryConfig.read(settings);
    settings.check();
    return config;
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
        .hasLineCount(6)
        .contains(
            "query.processors: is missing",
            "kafka.bootstrap.servers: is missing",
            "query.timeout: ",
            "query.gets-max: ",
            "query.lists-max: ",
            "query.procesors: no such setting");
  }

  @Test
  void config_refusesTheSameProcessorTwice() {
    Settings settings =
        Settings.of(Map.of("query.processors", "a:1,a:1", "kafka.bootstrap.servers", "k:9092"));
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
