package dev.tocsin.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BrokerPartsTest {
  @TempDir Path folder;

  @Test
  void lastLines_keepsTheNewestTwenty() {
    LastLines lines = new LastLines();
    for (int i = 1; i <= 25; i++) {
      lines.add("line " + i);
    }
    assertThat(lines.toString().lines()).hasSize(20).startsWith("line 6").endsWith("line 25");
  }

  @Test
  void freePorts_tellsAPortThatIsListenedOn() throws Exception {
    try (ServerSocket taken =
        new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
      assertThat(FreePorts.free(taken.getLocalPort())).isFalse();
    }
    assertThat(FreePorts.free(FreePorts.choose(0))).isTrue();
  }

  @Test
  void folderLock_isHadOnceAtATime() throws Exception {
    Path file = folder.resolve("lock");
    try (var held = FolderLock.take(file, Duration.ZERO)) {
      assertThat(held).isNotNull();
      assertThatThrownBy(() -> FolderLock.take(file, Duration.ZERO))
          .isInstanceOf(FolderLock.HeldException.class)
          .hasMessageContaining(folder.toString());
    }
    try (var again = FolderLock.take(file, Duration.ZERO)) {
      assertThat(again).isNotNull();
    }
  }

  @Test
  void properties_fitTheLogsLargestRecord() throws Exception {
    BrokerFolder data = BrokerFolder.open(folder);
    var properties =
        org.apache.kafka.common.utils.Utils.loadProps(
            BrokerProperties.write(data, 1001, 1002).toString());
    assertThat(properties)
        .containsEntry("listeners", "PLAINTEXT://127.0.0.1:1001,CONTROLLER://127.0.0.1:1002")
        .containsEntry("controller.quorum.voters", "1@127.0.0.1:1002")
        .containsEntry("auto.create.topics.enable", "false")
        .containsEntry("log.dirs", folder.resolve("log").toString());
    assertThat(Integer.parseInt(properties.getProperty("message.max.bytes")))
        .isGreaterThan(6 << 20);
    assertThat(properties.stringPropertyNames()).noneMatch(name -> name.contains("flush"));
  }
}
