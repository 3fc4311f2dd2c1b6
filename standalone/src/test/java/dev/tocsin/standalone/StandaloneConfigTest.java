package dev.tocsin.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.runtime.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StandaloneConfigTest {
  @TempDir Path folder;

  @Test
  void read_hasDefaultsForAll() {
    var config = StandaloneConfig.read(Settings.of(Map.of()));
    assertThat(config.data()).isEqualTo(Path.of(System.getProperty("user.home"), ".tocsin"));
    assertThat(config.grpc().host()).isEqualTo("127.0.0.1");
    assertThat(config.grpc().port()).isEqualTo(9000);
    assertThat(config.opsPort()).isEqualTo(9090);
    assertThat(config.kafkaPort()).isEqualTo(9092);
    assertThat(config.partitions()).isEqualTo(4);
    assertThat(config.processor().stateFolder()).isEqualTo(config.data().resolve("state"));
    assertThat(config.processor().kafka()).containsEntry("bootstrap.servers", "127.0.0.1:9092");
  }

  @Test
  void read_takesTheCommandLineOverTheEnvironmentOverTheFile() throws Exception {
    Path file =
        Files.write(
            folder.resolve("settings"),
            List.of("edge.port=1001", "edge.ops-port=1002", "broker.port=1003"));
    var environment = Map.of("TOCSIN_EDGE_PORT", "2001", "TOCSIN_EDGE_OPS_PORT", "2002");
    var settings = Settings.load(Optional.of(file), environment).with(Map.of("edge.port", "3001"));
    var config = StandaloneConfig.read(settings);
    assertThat(config.grpc().port()).isEqualTo(3001);
    assertThat(config.opsPort()).isEqualTo(2002);
    assertThat(config.kafkaPort()).isEqualTo(1003);
  }

  @Test
  void read_takesTheDataFolderFromTheEnvironment() {
    var settings = Settings.load(Optional.empty(), Map.of("TOCSIN_DATA", folder.toString()));
    assertThat(StandaloneConfig.read(settings).data()).isEqualTo(folder);
  }

  @Test
  void read_choosesAFreePortForTheBroker() {
    var config = StandaloneConfig.read(Settings.of(Map.of("broker.port", "0")));
    assertThat(config.kafkaPort()).isPositive();
    assertThat(config.edge().kafka())
        .containsEntry("bootstrap.servers", "127.0.0.1:" + config.kafkaPort());
  }

  @Test
  void read_givesCommandsTheSameLogAsAlerts() {
    var config =
        StandaloneConfig.read(Settings.of(Map.of("log.prefix", "mine", "broker.port", "9192")));
    var commands = config.query().commands();
    assertThat(commands.topics().log()).isEqualTo(config.edge().topics().log());
    assertThat(commands.kafka()).containsEntry("bootstrap.servers", "127.0.0.1:9192");
  }

  @Test
  void read_tellsAFaultOnceThatSeveralPartsFind() {
    assertThatThrownBy(() -> StandaloneConfig.read(Settings.of(Map.of("kafka.acks", "1"))))
        .hasMessage("kafka.acks: must be all or left out");
  }

  @Test
  void read_tellsEveryFaultOfEveryPart() {
    var settings =
        Settings.of(
            Map.of(
                "edge.port", "70000",
                "broker.port", "x",
                "processor.threads", "0",
                "query.timeout", "soon",
                "kafka.acks", "1",
                "no.such", "1"));
    assertThatThrownBy(() -> StandaloneConfig.read(settings))
        .isInstanceOf(Settings.SettingsException.class)
        .hasMessageContaining("edge.port: ")
        .hasMessageContaining("broker.port: ")
        .hasMessageContaining("processor.threads: ")
        .hasMessageContaining("query.timeout: ")
        .hasMessageContaining("kafka.acks: ")
        .hasMessageContaining("no.such: no such setting");
  }

  @Test
  void read_refusesWhatTiesThePartsTogether() {
    var settings =
        Settings.of(
            Map.of("kafka.bootstrap.servers", "elsewhere:9092", "query.processors", "one:9001"));
    assertThatThrownBy(() -> StandaloneConfig.read(settings))
        .hasMessageContaining("kafka.bootstrap.servers: must be left out")
        .hasMessageContaining("query.processors: must be left out");
  }

  @Test
  void read_refusesAnOpenHostThatIsNotMeant() {
    assertThatThrownBy(() -> StandaloneConfig.read(Settings.of(Map.of("edge.host", "0.0.0.0"))))
        .hasMessageContaining("edge.open=true");
  }
}
