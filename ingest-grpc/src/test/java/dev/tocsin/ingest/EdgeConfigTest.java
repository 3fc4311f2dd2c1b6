package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.runtime.Settings;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class EdgeConfigTest {
  @Test
  void read_needsNothingButTheBroker() {
    EdgeConfig config = read(Map.of());

    assertThat(config.topics().log()).isEqualTo("tocsin.log");
    assertThat(config.producerConfig())
        .containsEntry("acks", "all")
        .containsEntry("enable.idempotence", "true")
        .containsEntry("delivery.timeout.ms", "10000")
        .doesNotContainKey("transactional.id");
    assertThat(config.adminConfig())
        .containsEntry("bootstrap.servers", "b:9092")
        .doesNotContainKeys("acks", "key.serializer", "linger.ms");
  }

  @Test
  void read_handsOnWhatIsSaidToKafka() {
    EdgeConfig config =
        read(Map.of("kafka.compression.type", "lz4", "kafka.security.protocol", "SSL"));

    assertThat(config.producerConfig())
        .containsEntry("compression.type", "lz4")
        .containsEntry("security.protocol", "SSL");
    assertThat(config.adminConfig())
        .containsEntry("security.protocol", "SSL")
        .doesNotContainKey("compression.type");
  }

  @Test
  void read_refusesWhatWouldBreakAGuarantee() {
    assertThatThrownBy(
            () ->
                read(
                    Map.of(
                        "kafka.acks", "1",
                        "kafka.enable.idempotence", "false",
                        "kafka.transactional.id", "x",
                        "kafka.max.request.size", "4194304",
                        "log.prefix", "no spaces")))
        .isInstanceOf(Settings.SettingsException.class)
        .hasMessageContaining("kafka.acks: must be all")
        .hasMessageContaining("kafka.enable.idempotence: must be true")
        .hasMessageContaining("kafka.transactional.id: must be left out")
        .hasMessageContaining("kafka.max.request.size: must be more than edge.message-bytes-max")
        .hasMessageContaining("log.prefix: ");
  }

  @Test
  void read_tellsWhatKafkaWouldNotTake() {
    assertThatThrownBy(() -> read(Map.of("kafka.delivery.timeout.ms", "10")))
        .isInstanceOf(Settings.SettingsException.class)
        .hasMessageContaining("delivery.timeout.ms");
  }

  @Test
  void read_asksForTheBroker() {
    Settings settings = Settings.of(Map.of());
    EdgeConfig.read(settings);

    assertThatThrownBy(settings::check)
        .isInstanceOf(Settings.SettingsException.class)
        .hasMessage("kafka.bootstrap.servers: is missing");
  }

  private static EdgeConfig read(Map<String, String> values) {
    Map<String, String> all = new HashMap<>(values);
    all.put("kafka.bootstrap.servers", "b:9092");
    Settings settings = Settings.of(all);
    EdgeConfig config = EdgeConfig.read(settings);
    settings.check();
    return config;
  }
}
