package dev.tocsin.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.Test;

class PartitionsTest {
  @Property
  void of_isWhatKafkasDefaultPartitionerDoes(
      @ForAll long route, @ForAll @IntRange(min = 1, max = 10_000) int partitions) {
    byte[] key = ByteBuffer.allocate(Long.BYTES).putLong(route).array();
    assertThat(Partitions.murmur2(route)).isEqualTo(Utils.murmur2(key));
    assertThat(Partitions.of(route, partitions))
        .isEqualTo(Utils.toPositive(Utils.murmur2(key)) % partitions)
        .isBetween(0, partitions - 1);
  }

  @Test
  void of_neverMoves() {
    assertThat(new int[] {at(0), at(1), at(-1), at(0x0123456789ABCDEFL)})
        .containsExactly(11, 0, 5, 1);
  }

  private static int at(long route) {
    return Partitions.of(route, 12);
  }
}
