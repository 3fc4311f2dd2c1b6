package dev.tocsin.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.runtime.Settings;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OpsConfigTest {
  @Test
  void read_namesEveryFault() {
    Settings settings = Settings.of(Map.of("log.prefix", "a b"));
    OpsConfig.read(settings);
    assertThatThrownBy(settings::check)
        .hasMessageContaining("kafka.bootstrap.servers")
        .hasMessageContaining("log.prefix");
  }

  @Test
  void clients_getTheirOwnSettings_andWhatTheGuaranteesNeed() {
    Settings settings =
        Settings.of(
            Map.of(
                "log.prefix", "team",
                "kafka.bootstrap.servers", "127.0.0.1:1",
                "kafka.security.protocol", "SSL",
                "kafka.batch.size", "7",
                "kafka.fetch.min.bytes", "9",
                "kafka.acks", "0",
                "kafka.transactional.id", "mine"));
    OpsConfig config = OpsConfig.read(settings);
    settings.check();
    assertThat(config.consumer())
        .containsEntry("security.protocol", "SSL")
        .containsEntry("fetch.min.bytes", "9")
        .containsEntry("isolation.level", "read_committed")
        .containsEntry("auto.offset.reset", "none")
        .doesNotContainKeys("batch.size", "acks", "transactional.id");
    assertThat(config.producer())
        .containsEntry("security.protocol", "SSL")
        .containsEntry("batch.size", "7")
        .containsEntry("acks", "all")
        .doesNotContainKeys("fetch.min.bytes", "transactional.id");
    assertThat(config.rulesProducer()).containsEntry("transactional.id", "team-rules-writer");
  }
}
