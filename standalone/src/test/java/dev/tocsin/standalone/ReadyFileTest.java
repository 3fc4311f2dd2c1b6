package dev.tocsin.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadyFileTest {
  @TempDir Path folder;

  @Test
  void write_makesOneWholeFileAndCloseRemovesIt() throws Exception {
    Path file = folder.resolve("ready.json");
    try (var ready = new ReadyFile(Optional.of(file))) {
      ready.write("127.0.0.1:1", "http://127.0.0.1:2", "127.0.0.1:3", 4);
      assertThat(file)
          .hasContent(
              "{\"grpc\":\"127.0.0.1:1\",\"metrics\":\"http://127.0.0.1:2\",\"kafka\":\"127.0.0.1:3\",\"pid\":4}");
      assertThat(folder.toFile().list()).containsExactly("ready.json");
    }
    assertThat(file).doesNotExist();
  }

  @Test
  void open_removesWhatAnEarlierProcessLeft() throws Exception {
    Path file = Files.writeString(folder.resolve("ready.json"), "old");
    try (var ready = new ReadyFile(Optional.of(file))) {
      assertThat(file).doesNotExist();
      assertThat(ready).isNotNull();
    }
  }

  @Test
  void write_doesNothingWhereNobodyAsked() throws Exception {
    try (var ready = new ReadyFile(Optional.empty())) {
      ready.write("a", "b", "c", 1);
      assertThat(folder).isEmptyDirectory();
    }
  }
}
