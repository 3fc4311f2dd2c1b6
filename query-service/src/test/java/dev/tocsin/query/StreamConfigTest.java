package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.runtime.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StreamConfigTest {
  private static Settings settings(String... more) {
    Map<String, String> values = new HashMap<>();
    values.put("kafka.bootstrap.servers", "a:1");
    for (int i = 0; i < more.length; i += 2) {
      values.put(more[i], more[i + 1]);
    }
    return Settings.of(values);
  }

  private static StreamConfig config(String... more) {
    Settings settings = settings(more);
    StreamConfig config = StreamConfig.read(settings);
    settings.check();
    return config;
  }

  @Test
  void config_hasDefaultsForAllButTheBroker() {
    StreamConfig config = config();
    assertThat(config.topics().events()).isEqualTo("tocsin.events.g1");
    assertThat(config.streamsMax()).isEqualTo(1_000);
    assertThat(config.ringBytesMax()).isEqualTo(64 << 20);
    assertThat(config.catchupReaders()).isEqualTo(4);
    assertThat(config.catchupWait()).isEqualTo(Duration.ofSeconds(10));
    assertThat(config.tokenSecret()).isEmpty();
    assertThat(config.tokenKeyFile()).isEmpty();
  }

  @Test
  void config_tellsEveryFaultAtOnce() {
    Settings settings =
        Settings.of(
            Map.of(
                "query.token-secret", "short",
                "query.streams-max", "0",
                "query.ring-bytes-max", "1",
                "query.catchup-readers", "none",
                "query.catchup-wait", "0s",
                "log.prefix", "no good"));
    StreamConfig.read(settings);
    assertThatThrownBy(settings::check)
        .message()
        .hasLineCount(7)
        .contains(
            "kafka.bootstrap.servers: is missing",
            "query.token-secret: ",
            "query.streams-max: ",
            "query.ring-bytes-max: ",
            "query.catchup-readers: ",
            "query.catchup-wait: ",
            "log.prefix");
  }

  @Test
  void consumer_readsOnlyWhatIsCommittedAndBelongsToNoGroup() {
    Map<String, Object> consumer =
        config(
                "kafka.group.id", "mine",
                "kafka.isolation.level", "read_uncommitted",
                "kafka.security.protocol", "SSL")
            .catchUpConsumerConfig("id");
    assertThat(consumer)
        .doesNotContainKey("group.id")
        .containsEntry("isolation.level", "read_committed")
        .containsEntry("auto.offset.reset", "none")
        .containsEntry("security.protocol", "SSL")
        .containsEntry("client.id", "id");
  }

  @Test
  void config_doesNotShowItsSecret() {
    assertThat(config("query.token-secret", "sixteen characters").toString())
        .doesNotContain("sixteen");
  }

  @Test
  void key_isTheSecretsOrTheFilesOrNew(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("key");
    StreamConfig secret = config("query.token-secret", "sixteen characters");
    assertThat(TokenKey.load(secret)).isEqualTo(TokenKey.load(secret));
    StreamConfig kept = config("query.token-key-file", file.toString());
    byte[] key = TokenKey.load(kept);
    assertThat(key).hasSize(32).isEqualTo(TokenKey.load(kept));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(TokenKey.load(config())).hasSize(32).isNotEqualTo(TokenKey.load(config()));
  }

  @Test
  void key_ofAFileThatSeveralMakeAtOnceIsOne(@TempDir Path folder) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      for (int round = 0; round < 50; round++) {
        Path file = folder.resolve("key" + round);
        StreamConfig config = config("query.token-key-file", file.toString());
        List<Future<byte[]>> keys =
            threads.invokeAll(Collections.nCopies(8, () -> TokenKey.load(config)));
        for (Future<byte[]> key : keys) {
          assertThat(key.get()).isEqualTo(Files.readAllBytes(file));
        }
      }
      try (var left = Files.list(folder)) {
        assertThat(left).as("no drafts").hasSize(50);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void key_ofAFileThatHoldsNoneIsRefused(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("key"), "short");
    StreamConfig config = config("query.token-key-file", file.toString());
    assertThatThrownBy(() -> TokenKey.load(config))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("holds no key");
  }
}
