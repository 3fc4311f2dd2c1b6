package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import io.grpc.Status;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.statistics.Statistics;

/**
 * Whatever happens in whatever order, a client's view ends equal to the list: no gap, no double.
 */
class StreamPropertyTest {
  private static final int RING_WEIGHT = 6_000; // three or four events
  private static final List<StreamFilter> FILTERS =
      List.of(
          new StreamFilter(
              StreamWorld.WORKSPACE, Set.of(), Severity.SEVERITY_UNSPECIFIED, "", false),
          new StreamFilter(
              StreamWorld.WORKSPACE,
              Set.of(IncidentState.INCIDENT_STATE_DETECTED, IncidentState.INCIDENT_STATE_TRIAGED),
              Severity.SEVERITY_P2,
              "",
              true),
          new StreamFilter(
              StreamWorld.WORKSPACE, Set.of(), Severity.SEVERITY_UNSPECIFIED, "even", true));

  private static final byte[] KEY = "the same key everywhere".getBytes(StandardCharsets.UTF_8);

  /** One run: the world, and a client for each filter. */
  private static final class Run {
    final StreamWorld world = new StreamWorld(RING_WEIGHT);
    final List<StreamClient> clients = FILTERS.stream().map(each -> new StreamClient()).toList();
    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    IncidentStreams streams = streams();
    final long[] begins = new long[FILTERS.size() * StreamWorld.PARTITIONS];
    int expired;
    int zombies;

    /** One instance of the service; a later one takes the tokens of an earlier one. */
    private IncidentStreams streams() {
      IncidentStreams made =
          new IncidentStreams(
              "g1",
              10,
              () -> Optional.of(world.rings),
              world.older(),
              world::open,
              world.tasks::add,
              world.timer,
              new StreamMetrics(meters));
      made.open(KEY);
      return made;
    }

    void connect(int which) {
      StreamClient client = clients.get(which);
      client.connect();
      for (StreamWorld.Partition each : world.partitions) {
        begins[which * StreamWorld.PARTITIONS + each.number] = each.begin;
      }
      StreamFilter filter = FILTERS.get(which);
      streams.stream(
          StreamIncidentsRequest.newBuilder()
              .addAllStates(filter.states())
              .addAllMinSeverity(
                  filter.minSeverity() == Severity.SEVERITY_UNSPECIFIED
                      ? List.of()
                      : List.of(filter.minSeverity()))
              .setSource(filter.source())
              .setIncludeSuppressed(filter.includeSuppressed())
              .setResumeToken(client.token)
              .build(),
          client);
    }

    void act(int code) {
      int what = code % 17;
      int arg = code / 17;
      StreamWorld.Partition partition = world.partitions.get(arg % StreamWorld.PARTITIONS);
      StreamClient client = clients.get(arg % clients.size());
      switch (what) {
        case 0, 1, 2, 3, 4 -> partition.change(arg % 11, arg);
        case 5, 6 -> partition.commit();
        case 7, 8 -> {
          partition.tail(1 + arg % 7);
          streams.wake();
        }
        case 9, 10 -> client.take(arg % 5);
        case 11 -> {
          if (arg % 3 == 0) {
            partition.cut(partition.topic.size() - arg % 17);
          }
        }
        case 12 -> {
          if (arg % 4 == 0) {
            client.leave();
          }
        }
        case 13 -> {
          if (arg % 6 == 0) { // the service is killed and another one started
            streams.stop();
            world.restart(1 + arg % 5);
            streams = streams();
          }
        }
        case 16 -> { // it is cut off from Kafka, another one takes over; later it is gone
          boolean cutOff = arg % 3 == 0 && partition.seed(Integer.MAX_VALUE).newest() != null;
          partition.zombie = cutOff ? partition.owned() : null;
          zombies += cutOff ? 1 : 0;
        }
        case 14 -> world.ownersAway = arg % 4 == 0;
        default -> world.kafkaAway = arg % 4 == 0;
      }
      for (int i = 0; i < clients.size(); i++) {
        if (clients.get(i).end != null) {
          assertEndedRightly(i);
          connect(i);
        }
      }
      for (int steps = 0; steps < arg % 9; steps++) {
        world.step((arg + steps) % 2 == 0);
      }
    }

    /** A client begins anew only if the topic has lost what it would have been told next. */
    private void assertEndedRightly(int which) {
      Status.Code code = clients.get(which).end.getCode();
      if (code == Status.Code.OUT_OF_RANGE) {
        expired++;
        assertThat(world.partitions)
            .as("retention has cut what was to come")
            .anyMatch(each -> each.begin > toldUpTo(which, each.number));
        clients.get(which).token = "";
        return;
      }
      assertThat(code).isIn(Status.Code.UNAVAILABLE, Status.Code.CANCELLED);
    }

    /** Which offset a client has been told of; without a token, where the topic began by then. */
    private long toldUpTo(int which, int partition) {
      return new ResumeTokens(KEY)
          .parse(clients.get(which).token)
          .map(token -> token.positions().get(partition).next())
          .orElse(begins[which * StreamWorld.PARTITIONS + partition]);
    }

    double fellBehind() {
      return meters.get("query.stream.fallen.behind").counter().count();
    }

    /** Everybody gets well, and everything comes in. */
    void settle() {
      world.ownersAway = false;
      world.kafkaAway = false;
      for (StreamWorld.Partition each : world.partitions) {
        each.zombie = null;
        each.commit();
        each.tail(Integer.MAX_VALUE);
      }
      for (int rounds = 0; rounds < 5; rounds++) {
        for (int i = 0; i < clients.size(); i++) {
          if (clients.get(i).end != null) {
            assertEndedRightly(i);
            connect(i);
          }
          clients.get(i).take(100_000);
        }
        streams.wake();
        int steps = 0;
        while (world.step(steps % 2 == 0)) {
          assertThat(++steps).as("it comes to rest").isLessThan(200_000);
        }
      }
    }
  }

  @Example
  void clientThatLeft_isToldNothingMore() {
    int leaves = 12 + 17 * 8;
    int kafkaGoes = 15;
    view_endsEqualToTheListWhateverHappens(
        List.of(
            0, 0, 0, 0, 0, 0, 0, 5, 247, 0, 0, 0, 0, 0, 17, 0, 51, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17, kafkaGoes, 0, 0, 17, 0, 2798, leaves));
  }

  @Property(tries = 1_000)
  void view_endsEqualToTheListWhateverHappens(
      @ForAll @Size(min = 20, max = 400) List<@IntRange(max = 16_999) Integer> codes) {
    Run run = new Run();
    for (int i = 0; i < FILTERS.size(); i++) {
      run.connect(i);
    }
    codes.forEach(run::act);
    run.settle();
    Statistics.label("began anew").collect(run.expired > 0);
    Statistics.label("met an owner that had been replaced").collect(run.zombies > 0);
    Statistics.label("caught up").collect(run.fellBehind() > 0);
    for (int i = 0; i < FILTERS.size(); i++) {
      assertThat(run.clients.get(i).end).isNull();
      assertThat(run.clients.get(i).view).isEqualTo(run.world.list(FILTERS.get(i)));
    }
  }
}
