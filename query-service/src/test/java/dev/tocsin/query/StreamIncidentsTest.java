package dev.tocsin.query;

import static dev.tocsin.proto.incidents.IncidentEventType.INCIDENT_EVENT_TYPE_CREATED;
import static dev.tocsin.proto.incidents.IncidentEventType.INCIDENT_EVENT_TYPE_HEARTBEAT;
import static dev.tocsin.proto.incidents.IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT;
import static dev.tocsin.proto.incidents.IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Duration;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import io.grpc.Status;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Each refusal and each end of a stream. */
class StreamIncidentsTest {
  private static final byte[] KEY = "key".getBytes(StandardCharsets.UTF_8);
  private static final StreamFilter ALL =
      new StreamFilter("default", Set.of(), Severity.SEVERITY_UNSPECIFIED, "", false);

  private final StreamWorld world = new StreamWorld(1 << 20);
  private final StreamClient client = new StreamClient();
  private final ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1);
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

  @AfterEach
  void close() {
    clock.shutdownNow();
  }

  private IncidentStreams streams(int max, Optional<EventRings> rings) {
    return streams(max, rings, world.timer);
  }

  private IncidentStreams streams(
      int max, Optional<EventRings> rings, ScheduledExecutorService timer) {
    return streams(max, () -> rings, world.older(), timer);
  }

  private IncidentStreams streams(
      int max,
      Supplier<Optional<EventRings>> rings,
      OlderEvents older,
      ScheduledExecutorService timer) {
    IncidentStreams streams =
        new IncidentStreams(
            "g1",
            max,
            rings,
            older,
            world::open,
            world.tasks::add,
            timer,
            new StreamMetrics(meters));
    streams.open(KEY);
    return streams;
  }

  private IncidentStreams streams() {
    return streams(10, Optional.of(world.rings));
  }

  private void settle() {
    int steps = 0;
    while (world.step(true)) {
      assertThat(++steps).isLessThan(10_000);
    }
  }

  private void change(int which) {
    StreamWorld.Partition partition = world.partitions.get(0);
    partition.change(which, 1);
    partition.commit();
    partition.tail(100);
  }

  private static StreamIncidentsRequest.Builder all() {
    return StreamIncidentsRequest.newBuilder();
  }

  private StreamIncidentsRequest resume(
      StreamFilter filter, String generation, EventPosition... positions) {
    return all()
        .setResumeToken(new ResumeTokens(KEY).writer(generation, filter).token(positions))
        .build();
  }

  private static EventPosition[] start() {
    return new EventPosition[] {EventPosition.at(0), EventPosition.at(0)};
  }

  private Status.Code end(StreamIncidentsRequest request) {
    client.connect();
    streams().stream(request, client);
    client.take(100);
    settle();
    return client.end == null ? Status.Code.OK : client.end.getCode();
  }

  @Test
  void stream_beginsWithASnapshotAndGoesOnLive() {
    change(0);
    IncidentStreams streams = streams();
    streams.stream(all().build(), client);
    client.take(100);
    settle();
    change(2);
    streams.wake();
    settle();
    assertThat(client.types)
        .containsExactly(
            INCIDENT_EVENT_TYPE_SNAPSHOT,
            INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE,
            INCIDENT_EVENT_TYPE_CREATED);
  }

  @Test
  void stream_thatIsLiveOnlyHasNoSnapshot() {
    change(0);
    IncidentStreams streams = streams();
    streams.stream(all().setLiveOnly(true).build(), client);
    client.take(100);
    settle();
    change(2);
    streams.wake();
    settle();
    assertThat(client.types)
        .containsExactly(INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE, INCIDENT_EVENT_TYPE_CREATED);
  }

  @Test
  void token_thatIsGarbageOrOfAnotherFilterIsInvalid() {
    assertThat(end(all().setResumeToken("garbage").build()))
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(end(all().setResumeToken("=;\u0000").build()))
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    StreamFilter other = new StreamFilter("default", Set.of(), Severity.SEVERITY_P1, "", false);
    assertThat(end(resume(other, "g1", start()))).isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void token_ofAnotherWorkspaceIsDenied() {
    StreamFilter other =
        new StreamFilter("other", Set.of(), Severity.SEVERITY_UNSPECIFIED, "", false);
    assertThat(end(resume(other, "g1", start()))).isEqualTo(Status.Code.PERMISSION_DENIED);
  }

  @Test
  void token_ofAnotherGenerationOrOtherPartitionsHasExpired() {
    assertThat(end(resume(ALL, "g2", start())))
        .as("nothing was told")
        .isEqualTo(Status.Code.OUT_OF_RANGE);
    assertThat(end(resume(ALL, "g1", EventPosition.at(0)))).isEqualTo(Status.Code.OUT_OF_RANGE);
  }

  /** Five entries; the fourth changes three incidents, with the events 4, 5 and 6. */
  private void fiveEntries() {
    StreamWorld.Partition partition = world.partitions.get(0);
    for (int i = 0; i < 3; i++) {
      partition.change(0, 1);
    }
    partition.commit();
    partition.changeAlike(3, 1);
    partition.change(0, 1);
    partition.commit();
    partition.tail(100);
  }

  private List<Long> toldAfter(long logOffset, long sequence) {
    client.token = "";
    client.sequences.clear();
    EventPosition[] told = {
      new EventPosition(7_000, logOffset, sequence), new EventPosition(9_000, 8, 9)
    };
    assertThat(end(resume(ALL, "g2", told))).isEqualTo(Status.Code.OK);
    return List.copyOf(client.sequences);
  }

  @Test
  void token_ofAnotherGenerationGoesOnByTheLog() {
    fiveEntries();
    assertThat(toldAfter(2, 2)).containsExactly(3L, 4L, 5L, 6L, 7L);
    assertThat(toldAfter(4, 5)).as("the same event is there").containsExactly(6L, 7L);
    assertThat(toldAfter(4, 77)).as("its entry comes again").containsExactly(4L, 5L, 6L, 7L);
    ResumeToken token = new ResumeTokens(KEY).parse(client.token).orElseThrow();
    assertThat(token.generation()).as("it is of this one now").isEqualTo("g1");
    assertThat(toldAfter(5, 7)).isEmpty();
  }

  @Test
  void token_ofAGenerationThatIsAheadHearsNothingTwice() {
    fiveEntries();
    assertThat(toldAfter(7, 9)).isEmpty();
    StreamWorld.Partition partition = world.partitions.get(0);
    partition.change(0, 1);
    partition.change(0, 1);
    partition.change(0, 1); // entries 6, 7 and 8, the events 8, 9 and 10
    partition.commit();
    partition.tail(100);
    assertThat(toldAfter(7, 9)).containsExactly(10L);
  }

  @Test
  void token_ofAnotherGenerationHasExpiredWhereEventsAreNotKept() {
    fiveEntries();
    world.partitions.get(0).begin = 2; // entry 3 is the first
    assertThat(toldAfter(3, 3)).containsExactly(4L, 5L, 6L, 7L);
    assertThat(toldAfter(4, 99)).containsExactly(4L, 5L, 6L, 7L);
    EventPosition[] older = {new EventPosition(0, 2, 2), new EventPosition(0, 8, 9)};
    assertThat(end(resume(ALL, "g2", older))).isEqualTo(Status.Code.OUT_OF_RANGE);
  }

  @Test
  void token_ofWhatIsNotKeptAnyMoreHasExpired() {
    change(0);
    world.rings.restart(EventSeed.none(0, 2));
    world.partitions.get(0).begin = 1;
    assertThat(end(resume(ALL, "g1", start()))).isEqualTo(Status.Code.OUT_OF_RANGE);
  }

  @Test
  void token_ofWhatIsNotThereYetHasExpiredUnlessTheTailIsLate() {
    EventPosition[] ahead = {EventPosition.at(1), EventPosition.at(0)};
    assertThat(end(resume(ALL, "g1", ahead))).isEqualTo(Status.Code.OUT_OF_RANGE);
    StreamWorld.Partition partition = world.partitions.get(0);
    partition.change(0, 1);
    partition.change(2, 1);
    partition.commit();
    client.connect();
    IncidentStreams streams = streams();
    streams.stream(resume(ALL, "g1", ahead), client);
    client.take(100);
    settle();
    partition.tail(100);
    streams.wake();
    settle();
    assertThat(client.end).isNull();
    assertThat(client.types).containsExactly(INCIDENT_EVENT_TYPE_CREATED);
  }

  @Test
  void events_thatAreMissingEndTheStream() {
    change(0);
    EventPosition[] sequenceMissing = {new EventPosition(0, -1, 5), EventPosition.at(0)};
    world.partitions.get(0).sequence = 6;
    change(2);
    assertThat(end(resume(ALL, "g1", sequenceMissing))).isEqualTo(Status.Code.OUT_OF_RANGE);
  }

  @Test
  void event_thatCannotBeReadIsNotedAsMissing() {
    change(0);
    client.connect();
    IncidentStreams streams = streams();
    streams.stream(all().build(), client);
    client.take(100);
    settle();
    StreamWorld.Partition partition = world.partitions.get(0);
    partition.change(2, 1);
    partition.uncommitted.set(0, new byte[] {1, 2, 3});
    partition.change(2, 2);
    partition.commit();
    partition.tail(100);
    streams.wake();
    settle();
    assertThat(client.end.getCode()).isEqualTo(Status.Code.OUT_OF_RANGE);
  }

  @Test
  void event_ofANewerWriterEndsTheStreamForNow() {
    client.connect();
    IncidentStreams streams = streams();
    streams.stream(all().setLiveOnly(true).build(), client);
    client.take(100);
    settle();
    StreamWorld.Partition partition = world.partitions.get(0);
    partition.change(2, 1);
    partition.uncommitted.get(0)[5] ^= 1; // the schema's fingerprint
    partition.commit();
    partition.tail(100);
    streams.wake();
    settle();
    assertThat(client.end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void catchUp_thatIsNotToBeHadEndsTheStreamForNow() {
    change(0);
    world.rings.restart(EventSeed.none(0, 2));
    world.kafkaAway = true;
    assertThat(end(resume(ALL, "g1", start()))).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(meters.get("query.stream.fallen.behind").counter().count()).isEqualTo(1);
  }

  @Test
  void owner_thatIsAwayIsAskedAgainForAWhile() {
    change(0);
    world.ownersAway = true;
    client.connect();
    streams().stream(all().build(), client);
    client.take(100);
    for (int i = 0; i < SnapshotWalk.ATTEMPTS_MAX; i++) {
      world.step(true);
    }
    assertThat(client.end).isNull();
    world.ownersAway = false;
    settle();
    assertThat(client.types)
        .containsExactly(INCIDENT_EVENT_TYPE_SNAPSHOT, INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE);
  }

  @Test
  void owner_thatStaysAwayEndsTheStream() {
    world.ownersAway = true;
    assertThat(end(all().build())).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void owner_thatGoesMidwayEndsTheStream() {
    for (int i = 0; i < 8; i += 2) {
      change(i);
    }
    client.connect();
    streams().stream(all().build(), client);
    client.take(100);
    while (client.types.isEmpty()) {
      world.step(true);
    }
    world.ownersAway = true;
    settle();
    assertThat(client.end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(client.token).isEmpty();
  }

  @Test
  void owner_thatIsOlderThanWhatIsPublishedIsNotBelieved() {
    change(0);
    change(2);
    world.partitions.get(0).sequence = 1; // of one that has not noticed that it was replaced
    assertThat(end(all().build())).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void owner_thatWasReplacedIsNotBelievedByAServiceThatHasJustStarted() {
    change(0);
    StreamWorld.Partition partition = world.partitions.get(0);
    partition.zombie = partition.owned();
    change(2);
    world.restart(1);
    assertThat(end(all().build())).isEqualTo(Status.Code.UNAVAILABLE);
    partition.zombie = null;
    assertThat(end(all().build())).isEqualTo(Status.Code.OK);
    assertThat(client.view).isEqualTo(world.list(ALL));
  }

  @Test
  void event_thatComesWhileASnapshotIsBegunIsCheckedOrTold() {
    change(0);
    StreamWorld.Partition partition = world.partitions.get(0);
    partition.zombie = partition.owned();
    EventRing ring = world.rings.of(0);
    client.connect();
    streams().stream(all().build(), client);
    client.take(100);
    world.step(true); // it has noted where the events go on
    change(2);
    assertThat(ring.newest().event().orElseThrow().sequence()).isEqualTo(2);
    settle();
    assertThat(client.end).isNull();
    assertThat(client.view).isEqualTo(world.list(ALL));
  }

  @Test
  void stream_resumedAfterARestartIsServedFromMemory() {
    IncidentStreams streams = streams();
    streams.stream(all().build(), client);
    client.take(100);
    settle();
    change(0);
    streams.wake();
    settle();
    streams.stop();
    settle();
    world.restart(2);
    assertThat(end(all().setResumeToken(client.token).build())).isEqualTo(Status.Code.OK);
    assertThat(meters.get("query.stream.fallen.behind").counter().count()).isZero();
  }

  @Test
  void partitions_goOnWhileAnotherOneIsFetched() {
    change(0);
    world.rings.restart(EventSeed.none(0, 2));
    StreamWorld.Partition other = world.partitions.get(1);
    other.change(0, 1);
    other.commit();
    other.tail(100);
    client.connect();
    streams().stream(resume(ALL, "g1", start()), client);
    client.take(100);
    while (!world.tasks.isEmpty()) {
      world.tasks.poll().run();
    }
    assertThat(client.types).as("of the other one").hasSize(1);
    settle();
    assertThat(client.types).hasSize(2);
  }

  @Test
  void streams_endWhereTheEventsAreNotFollowedAnyMore() {
    AtomicReference<Optional<EventRings>> rings = new AtomicReference<>(Optional.of(world.rings));
    IncidentStreams streams = streams(10, rings::get, world.older(), world.timer);
    streams.stream(all().build(), client);
    client.take(100);
    settle();
    streams.check();
    settle();
    assertThat(client.end).isNull();
    rings.set(Optional.empty());
    streams.check();
    settle();
    assertThat(client.end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(client.retry).as("says when to come again").isTrue();
    StreamClient late = new StreamClient();
    streams.stream(all().setResumeToken(client.token).build(), late);
    assertThat(late.end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(streams.open()).isZero();
  }

  @Test
  void stream_thatFailsWithAnErrorEnds() {
    change(0);
    world.rings.restart(EventSeed.none(0, 2));
    IncidentStreams streams =
        streams(
            1,
            () -> Optional.of(world.rings),
            new OlderEvents() {
              @Override
              public void read(int partition, long offset, Consumer<Answer> answer) {
                throw new StackOverflowError("simulated");
              }

              @Override
              public void find(int partition, EventPosition told, Consumer<Answer> answer) {}
            },
            world.timer);
    streams.stream(resume(ALL, "g1", start()), client);
    client.take(1);
    settle();
    assertThat(client.end.getCode()).isEqualTo(Status.Code.INTERNAL);
    assertThat(streams.open()).isZero();
  }

  @Test
  void heartbeats_comeWhileAnOwnerIsWaitedForAndCarryNoToken() {
    world.ownersAway = true;
    IncidentStreams streams = streams(10, Optional.of(world.rings), clock);
    streams.stream(all().setHeartbeatInterval(Duration.newBuilder().setSeconds(1)).build(), client);
    client.take(100);
    await()
        .untilAsserted(
            () -> {
              settle();
              assertThat(client.types).startsWith(INCIDENT_EVENT_TYPE_HEARTBEAT);
            });
    assertThat(client.token).isEmpty();
    world.ownersAway = false;
    await()
        .untilAsserted(
            () -> {
              settle();
              assertThat(client.types).contains(INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE);
            });
  }

  @Test
  void streams_beyondTheBoundAreRefusedUntilOneEnds() {
    IncidentStreams streams = streams(1, Optional.of(world.rings));
    StreamClient first = new StreamClient();
    streams.stream(all().build(), first);
    streams.stream(all().build(), client);
    assertThat(client.end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    first.leave();
    settle();
    assertThat(streams.open()).isZero();
    client.connect();
    streams.stream(all().build(), client);
    assertThat(client.end).isNull();
  }

  @Test
  void streams_areRefusedUntilTheEventsAreFound() {
    streams(1, Optional.empty()).stream(all().build(), client);
    assertThat(client.end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void stop_endsAllAndLetsNoMoreIn() {
    IncidentStreams streams = streams();
    streams.stream(all().build(), client);
    settle();
    streams.stop();
    settle();
    assertThat(client.end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    StreamClient late = new StreamClient();
    streams.stream(all().build(), late);
    settle();
    assertThat(late.end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(streams.open()).isZero();
  }

  @Test
  void heartbeats_comeWhileNothingElseDoesAndCarryAToken() {
    IncidentStreams streams = streams(10, Optional.of(world.rings), clock);
    streams.stream(
        all().setLiveOnly(true).setHeartbeatInterval(Duration.newBuilder().setSeconds(1)).build(),
        client);
    client.take(100);
    settle();
    await()
        .untilAsserted(
            () -> {
              settle();
              assertThat(client.types)
                  .startsWith(INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE, INCIDENT_EVENT_TYPE_HEARTBEAT);
            });
    String token = client.token;
    client.leave();
    settle();
    change(2);
    assertThat(end(all().setResumeToken(token).build())).isEqualTo(Status.Code.OK);
    assertThat(client.types).endsWith(INCIDENT_EVENT_TYPE_CREATED);
  }

  @Test
  void stream_thatIsNotReadHoldsNothingAndLosesNothing() {
    StreamWorld small = new StreamWorld(20_000);
    IncidentStreams streams =
        new IncidentStreams(
            "g1",
            1,
            () -> Optional.of(small.rings),
            small.older(),
            small::open,
            small.tasks::add,
            small.timer,
            new StreamMetrics(meters));
    streams.open(KEY);
    streams.stream(all().setIncludeSuppressed(true).build(), client);
    client.take(1);
    StreamWorld.Partition partition = small.partitions.get(1);
    for (int i = 0; i < 5_000; i++) {
      partition.change(i % 4, 1 + i % 6);
      partition.commit();
      partition.tail(10);
      streams.wake();
      while (small.step(true)) {
        // it has nothing to do but to notice that it may not send
      }
      assertThat(small.tasks).isEmpty();
      assertThat(small.rings.weight()).isLessThanOrEqualTo(20_000);
    }
    client.take(10_000);
    while (small.step(true)) {
      // now it reads on
    }
    assertThat(client.types).hasSize(1 + 5_000);
    StreamFilter hiddenToo =
        new StreamFilter("default", Set.of(), Severity.SEVERITY_UNSPECIFIED, "", true);
    assertThat(client.view).isEqualTo(small.list(hiddenToo));
  }
}
