package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.state.ScanIncidentsRequest;
import dev.tocsin.proto.state.ScanIncidentsResponse;
import dev.tocsin.schemas.IncidentId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class PageWalkTest {
  private static final IncidentState WANTED = IncidentState.INCIDENT_STATE_DETECTED;

  /** Partitions with incidents, and what a caller who lists the wanted ones must get. */
  private static final class World {
    final List<IncidentIndex> partitions = new ArrayList<>();
    final List<String> expected = new ArrayList<>();
    final Random random;
    long newestMs;

    World(int partitionCount, long seed, List<Integer> times, int wantedPercent) {
      random = new Random(seed);
      for (int i = 0; i < partitionCount; i++) {
        partitions.add(new IncidentIndex());
      }
      for (int atMs : times) {
        boolean wanted = random.nextInt(100) < wantedPercent;
        String id = open(atMs, wanted);
        if (wanted) {
          expected.add(id);
        }
        newestMs = Math.max(newestMs, atMs);
      }
      expected.sort(Comparator.reverseOrder());
    }

    String open(long atMs, boolean wanted) {
      // Random routes and serials: no two ids are equal, and partitions are as uneven as squares.
      String id = IncidentId.text(IncidentId.of(atMs, random.nextLong(), random.nextInt(1024)));
      int skewed = (int) (partitions.size() * Math.pow(random.nextDouble(), 2));
      IncidentState state = wanted ? WANTED : IncidentState.INCIDENT_STATE_CLOSED;
      partitions.get(skewed).put("w", Incident.newBuilder().setId(id).setState(state).build());
      return id;
    }

    void openNewer() {
      newestMs++;
      open(newestMs, true);
    }

    PageWalk page(Optional<String> below, int skip, int size, int rounds) {
      PageWalk walk = new PageWalk(partitions.size(), skip, size, below);
      List<PageWalk.Ask> asks = walk.asks();
      for (int round = 0; round < rounds && !asks.isEmpty(); round++) {
        asks.forEach(ask -> answer(walk, ask));
        walk.merge();
        asks = walk.asks();
      }
      return walk;
    }

    private void answer(PageWalk walk, PageWalk.Ask ask) {
      ScanIncidentsRequest.Builder request =
          ScanIncidentsRequest.newBuilder()
              .setWorkspace("w")
              .setLimit(ask.limit())
              .addStates(WANTED);
      ask.below().map(IncidentIndex::bytes).ifPresent(request::setBeforeId);
      ScanIncidentsResponse response =
          partitions.get(ask.partition()).scan(request.build(), 1 + random.nextInt(12));
      ByteString scannedTo = response.getScannedTo();
      walk.take(
          ask.partition(),
          response.getIncidentsList(),
          scannedTo.isEmpty() ? Optional.empty() : Optional.of(IncidentIndex.text(scannedTo)));
    }
  }

  @Property(tries = 1000)
  void pages_giveEveryMatchOnceNewestFirst(
      @ForAll @IntRange(min = 1, max = 7) int partitions,
      @ForAll long seed,
      @ForAll @Size(max = 120) List<@IntRange(min = 1, max = 40) Integer> times,
      @ForAll @IntRange(max = 100) int wantedPercent,
      @ForAll @IntRange(min = 1, max = 8) int rounds) {
    World world = new World(partitions, seed, times, wantedPercent);
    List<String> walked = new ArrayList<>();
    Optional<String> below = Optional.empty();
    int pages = 0;
    do {
      int size = 1 + world.random.nextInt(15);
      PageWalk walk = world.page(below, 0, size, rounds);
      assertThat(walk.page().size()).isLessThanOrEqualTo(size);
      walk.page().forEach(incident -> walked.add(incident.getId()));
      below = walk.nextBelow();
      world.openNewer();
      pages++;
    } while (below.isPresent() && pages < 1000);
    assertThat(walked).isEqualTo(world.expected);
  }

  @Property(tries = 300)
  void page_saysThereIsMoreExactlyWhileThereIs(
      @ForAll @IntRange(min = 1, max = 7) int partitions,
      @ForAll long seed,
      @ForAll @Size(max = 60) List<@IntRange(min = 1, max = 40) Integer> times,
      @ForAll @IntRange(max = 100) int wantedPercent,
      @ForAll @IntRange(min = 1, max = 20) int size) {
    World world = new World(partitions, seed, times, wantedPercent);
    Optional<String> below = Optional.empty();
    int told = 0;
    do {
      PageWalk walk = world.page(below, 0, size, Integer.MAX_VALUE);
      told += walk.page().size();
      below = walk.nextBelow();
      assertThat(below.isPresent()).isEqualTo(told < world.expected.size());
    } while (below.isPresent());
  }

  @Property(tries = 300)
  void pageNumber_givesTheSameAsWalkingThere(
      @ForAll @IntRange(min = 1, max = 5) int partitions,
      @ForAll long seed,
      @ForAll @Size(max = 60) List<@IntRange(min = 1, max = 40) Integer> times,
      @ForAll @IntRange(min = 1, max = 10) int size,
      @ForAll @IntRange(max = 6) int page) {
    World world = new World(partitions, seed, times, 70);
    PageWalk walk = world.page(Optional.empty(), page * size, size, Integer.MAX_VALUE);
    List<String> expected = world.expected.stream().skip((long) page * size).limit(size).toList();
    assertThat(walk.page()).extracting(Incident::getId).isEqualTo(expected);
  }

  @Property(tries = 200)
  void shortPage_neverHoldsWhatCouldStillBePreceded(
      @ForAll long seed, @ForAll @LongRange(min = 1, max = 3) long rounds) {
    World world = new World(4, seed, List.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14), 60);
    PageWalk walk = world.page(Optional.empty(), 0, 1000, (int) rounds);
    List<String> told = walk.page().stream().map(Incident::getId).toList();
    assertThat(told).isEqualTo(world.expected.subList(0, told.size()));
  }

  @Test
  void page_endsBeforeItsBytesAreMoreThanAClientTakes() {
    String mebibyte = "x".repeat(1 << 20);
    List<Incident> found =
        List.of(6, 5, 4, 3, 2, 1).stream()
            .map(
                at ->
                    Incident.newBuilder()
                        .setId(IncidentId.text(IncidentId.of(at, 1, 1)))
                        .setDescription(mebibyte)
                        .build())
            .toList();
    PageWalk walk = new PageWalk(1, 0, 50, Optional.empty());
    walk.take(0, found, Optional.empty());
    walk.merge();
    assertThat(walk.done()).isTrue();
    assertThat(walk.page()).isEqualTo(found.subList(0, 3));
    assertThat(walk.nextBelow()).contains(found.get(2).getId());
  }

  @Test
  void page_holdsOneIncidentHoweverLarge() {
    Incident large =
        Incident.newBuilder()
            .setId(IncidentId.text(IncidentId.of(1, 1, 1)))
            .setDescription("x".repeat(PageWalk.PAGE_BYTES_MAX))
            .build();
    PageWalk walk = new PageWalk(1, 0, 50, Optional.empty());
    walk.take(0, List.of(large), Optional.empty());
    walk.merge();
    assertThat(walk.page()).containsExactly(large);
    assertThat(walk.nextBelow()).isEmpty();
  }

  @Test
  void asks_forLittleMoreThanAnEvenShareAndOneToKnowIfMoreFollows() {
    assertThat(new PageWalk(1, 0, 50, Optional.empty()).asks())
        .containsExactly(new PageWalk.Ask(0, Optional.empty(), 51));
    assertThat(new PageWalk(12, 0, 1000, Optional.empty()).asks())
        .hasSize(12)
        .allMatch(ask -> ask.limit() == 2 * 1001 / 12 + 8);
    assertThat(new PageWalk(1, 9_000, 1_000, Optional.empty()).asks().get(0).limit())
        .isEqualTo(1_001);
  }

  @Test
  void take_refusesAScanThatGotNoFurther() {
    String id = IncidentId.text(IncidentId.of(1, 1, 1));
    PageWalk walk = new PageWalk(1, 0, 50, Optional.of(id));
    assertThatThrownBy(() -> walk.take(0, List.of(), Optional.of(id)))
        .isInstanceOf(IllegalStateException.class);
  }
}
