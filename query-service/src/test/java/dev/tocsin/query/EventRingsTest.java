package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class EventRingsTest {
  private static EventItem item(int partition, long offset) {
    return new EventItem(partition, offset, new byte[100]);
  }

  private static final int WEIGHT = item(0, 0).weight();

  private static List<Long> offsets(OlderEvents.Answer.Found found) {
    return found.items().stream().map(EventItem::offset).toList();
  }

  @Test
  void read_givesWhatIsThereFromAnOffsetOnAndWhereItGoesOn() {
    EventRings rings = new EventRings(new long[] {5}, 100L * WEIGHT);
    EventRing ring = rings.of(0);
    rings.add(item(0, 5));
    rings.add(item(0, 7));
    rings.add(item(0, 8));
    ring.advance(10); // a transaction's end
    assertThat(offsets(ring.read(5, 100 * WEIGHT))).containsExactly(5L, 7L, 8L);
    assertThat(ring.read(5, 100 * WEIGHT).next()).isEqualTo(10);
    assertThat(offsets(ring.read(6, 100 * WEIGHT))).containsExactly(7L, 8L);
    assertThat(offsets(ring.read(5, 2 * WEIGHT))).containsExactly(5L, 7L);
    assertThat(ring.read(5, 2 * WEIGHT).next()).isEqualTo(8);
    assertThat(offsets(ring.read(5, 1))).as("one at least").containsExactly(5L);
    assertThat(offsets(ring.read(10, WEIGHT))).isEmpty();
    assertThat(ring.read(12, WEIGHT).next()).as("ahead of it").isEqualTo(12);
    assertThat(ring.read(4, WEIGHT)).as("before it").isNull();
  }

  @Test
  void add_beyondTheBoundDropsTheOldestWhicheverPartitionItIsOf() {
    EventRings rings = new EventRings(new long[] {0, 0}, 3L * WEIGHT);
    rings.add(item(0, 0));
    rings.add(item(1, 0));
    rings.add(item(1, 1));
    rings.add(item(1, 2));
    assertThat(rings.weight()).isEqualTo(3L * WEIGHT);
    assertThat(rings.of(0).read(0, WEIGHT)).as("fallen out").isNull();
    assertThat(rings.of(0).begin()).isEqualTo(1);
    assertThat(offsets(rings.of(1).read(0, 9 * WEIGHT))).containsExactly(0L, 1L, 2L);
  }

  @Test
  void add_ofWhatIsLargerThanTheBoundKeepsNothing() {
    EventRings rings = new EventRings(new long[] {0}, WEIGHT - 1L);
    rings.add(item(0, 0));
    assertThat(rings.weight()).isZero();
    assertThat(rings.of(0).read(0, WEIGHT)).isNull();
    assertThat(rings.of(0).read(1, WEIGHT).items()).isEmpty();
    assertThat(rings.of(0).newest().offset()).isZero();
  }

  @Test
  void restart_forgetsOnePartition() {
    EventRings rings = new EventRings(new long[] {0, 0}, 100L * WEIGHT);
    rings.add(item(0, 0));
    rings.add(item(1, 0));
    rings.restart(EventSeed.none(0, 50));
    assertThat(rings.weight()).isEqualTo(WEIGHT);
    assertThat(rings.of(0).read(1, WEIGHT)).isNull();
    rings.add(item(0, 50));
    assertThat(offsets(rings.of(0).read(50, WEIGHT))).containsExactly(50L);
    assertThat(offsets(rings.of(1).read(0, WEIGHT))).containsExactly(0L);
  }

  @Test
  void restart_goesOnWithWhatWasRead() {
    EventRings rings = new EventRings(new long[] {0, 0}, 3L * WEIGHT);
    rings.add(item(0, 0));
    EventItem newest = item(0, 52);
    rings.restart(new EventSeed(0, 50, List.of(item(0, 51), newest), 54, newest));
    assertThat(rings.weight()).isEqualTo(2L * WEIGHT);
    assertThat(rings.of(0).begin()).isEqualTo(50);
    assertThat(offsets(rings.of(0).read(50, 9 * WEIGHT))).containsExactly(51L, 52L);
    assertThat(rings.of(0).read(50, 9 * WEIGHT).next()).isEqualTo(54);
    assertThat(rings.of(0).newest()).isSameAs(newest);
    rings.add(item(1, 0));
    rings.add(item(1, 1));
    assertThat(offsets(rings.of(0).read(52, WEIGHT))).as("one had to go").containsExactly(52L);
    assertThat(rings.of(0).read(51, WEIGHT)).isNull();
  }

  @Test
  void seeds_thatAreHeavierThanTheBoundAreCut() {
    EventItem newest = item(0, 2);
    EventRings rings =
        EventRings.of(
            List.of(
                new EventSeed(0, 0, List.of(item(0, 0), item(0, 1), newest), 3, newest),
                EventSeed.none(1, 7)),
            2L * WEIGHT);
    assertThat(rings.weight()).isEqualTo(2L * WEIGHT);
    assertThat(rings.of(0).begin()).isEqualTo(1);
    assertThat(rings.of(1).begin()).isEqualTo(7);
  }

  /** Against a plain list: whatever comes in, in whatever order, all from begin on is there. */
  @Property(tries = 300)
  void ring_holdsAllFromItsBeginningOn(
      @ForAll @Size(max = 200) List<@IntRange(max = 7) Integer> steps,
      @ForAll @IntRange(min = 1, max = 40) int items) {
    EventRings rings = new EventRings(new long[] {0, 0}, (long) items * WEIGHT);
    List<List<Long>> all = List.of(new java.util.ArrayList<>(), new java.util.ArrayList<>());
    long[] next = new long[2];
    for (int step : steps) {
      int partition = step % 2;
      next[partition] += step / 4; // a gap
      rings.add(item(partition, next[partition]));
      all.get(partition).add(next[partition]++);
      assertThat(rings.weight()).isLessThanOrEqualTo((long) items * WEIGHT);
    }
    for (int partition = 0; partition < 2; partition++) {
      EventRing ring = rings.of(partition);
      long begin = ring.begin();
      assertThat(offsets(ring.read(begin, Integer.MAX_VALUE)))
          .isEqualTo(all.get(partition).stream().filter(each -> each >= begin).toList());
    }
    assertThat(rings.of(0).size() + rings.of(1).size()).isEqualTo(Math.min(items, steps.size()));
  }
}
