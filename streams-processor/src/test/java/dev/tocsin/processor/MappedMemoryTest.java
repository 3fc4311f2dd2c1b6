package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.errors.ProcessorStateException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappedMemoryTest {
  @TempDir Path folder;

  @Test
  void pieces_areZerosAndApart() {
    MappedMemory memory = new MappedMemory(folder.resolve("receipts"));
    List<ByteBuffer> pieces = new ArrayList<>();
    for (int bytes : new int[] {8, 4_096, 4_097, 131_072, 2 << 20, 3 << 20, 16_385, 9 << 20}) {
      for (int i = 0; i < 5; i++) {
        ByteBuffer piece = memory.allocate(bytes);
        assertThat(piece.capacity()).isEqualTo(bytes);
        assertThat(piece.isDirect()).isEqualTo(bytes > 4_096);
        pieces.add(piece);
      }
    }
    for (int i = 0; i < pieces.size(); i++) {
      ByteBuffer piece = pieces.get(i);
      for (int at = 0; at < piece.capacity(); at++) {
        if (piece.get(at) != 0) {
          throw new AssertionError("piece " + i + " has something at " + at);
        }
        piece.put(at, (byte) (i + 1));
      }
    }
    for (int i = 0; i < pieces.size(); i++) {
      assertThat(pieces.get(i).get(0)).isEqualTo((byte) (i + 1));
      assertThat(pieces.get(i).get(pieces.get(i).capacity() - 1)).isEqualTo((byte) (i + 1));
    }
  }

  @Test
  void folder_showsNothing_alsoOfWhoWasKilled() throws IOException {
    Path left = Files.createFile(folder.resolve("receipts-1.mapped"));
    ByteBuffer piece = new MappedMemory(folder).allocate(100_000);
    piece.putLong(0, 17);
    assertThat(left).doesNotExist();
    assertThat(folder).isEmptyDirectory();
    assertThat(piece.getLong(0)).isEqualTo(17);
  }

  @Test
  void folder_thatCannotBe_isNamed() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    assertThatThrownBy(() -> new MappedMemory(file).allocate(100_000))
        .isInstanceOf(ProcessorStateException.class)
        .hasMessageContaining("receipts have no room: 4194304 bytes in " + file);
  }
}
