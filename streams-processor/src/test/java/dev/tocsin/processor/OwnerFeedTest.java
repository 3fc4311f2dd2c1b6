package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.state.Owners;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.StreamsMetadata;
import org.apache.kafka.streams.state.HostInfo;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OwnerFeedTest {
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
  private volatile boolean started = true;
  private volatile Collection<StreamsMetadata> group = List.of(instance("a", 0, 1));
  private final OwnerFeed feed = new OwnerFeed(2, "log", this::group, timer);

  @AfterEach
  void stop() {
    feed.close();
    timer.shutdownNow();
  }

  @Test
  void watch_tellsTheOwnersAndEachChange() {
    Caller caller = new Caller(true);
    feed.watch(caller);
    await(() -> caller.last().getOwnersCount() == 1);
    assertThat(caller.last().getPartitions()).isEqualTo(2);
    assertThat(caller.last().getOwners(0).getAddress()).isEqualTo("a:9001");
    assertThat(caller.last().getOwners(0).getActiveList()).containsExactly(0, 1);
    group = List.of(instance("a", 0), instance("b", 1));
    await(() -> caller.last().getOwnersCount() == 2);
    assertThat(caller.last().getOwners(1).getActiveList()).containsExactly(1);
  }

  @Test
  void watch_goesOnAfterAFailureToReadTheGroup() {
    started = false;
    OwnerFeed early = new OwnerFeed(2, "log", this::group, timer);
    Caller caller = new Caller(true);
    early.watch(caller);
    started = true;
    await(() -> caller.last().getOwnersCount() == 1);
    early.close();
  }

  @Test
  void watch_givesASlowCallerOnlyTheNewest() {
    Caller slow = new Caller(false);
    feed.watch(slow);
    Caller quick = new Caller(true);
    feed.watch(quick);
    for (String name : List.of("b", "c", "d")) {
      group = List.of(instance(name, 0));
      await(
          () ->
              quick.last().getOwnersList().stream().anyMatch(o -> o.getAddress().startsWith(name)));
    }
    assertThat(slow.got).isEmpty();
    slow.becomesReady();
    assertThat(slow.got).hasSize(1);
    assertThat(slow.last().getOwners(0).getAddress()).isEqualTo("d:9001");
  }

  @Test
  void watch_forgetsACallerThatLeft() {
    Caller gone = new Caller(true);
    feed.watch(gone);
    gone.cancel();
    int before = gone.got.size();
    Caller other = new Caller(true);
    feed.watch(other);
    group = List.of(instance("z", 0));
    await(
        () -> other.last().getOwnersList().stream().anyMatch(o -> o.getAddress().equals("z:9001")));
    assertThat(gone.got).hasSize(before);
  }

  @Test
  void watch_hasABound() {
    for (int i = 0; i < OwnerFeed.WATCHERS_MAX; i++) {
      feed.watch(new Caller(true));
    }
    Caller tooMany = new Caller(true);
    feed.watch(tooMany);
    assertThat(tooMany.failure).hasMessageContaining("RESOURCE_EXHAUSTED");
  }

  @Test
  void close_endsCallsAlsoThoseThatComeLate() {
    Caller caller = new Caller(true);
    feed.watch(caller);
    feed.close();
    assertThat(caller.failure).hasMessageContaining("UNAVAILABLE");
    Caller late = new Caller(true);
    feed.watch(late);
    assertThat(late.failure).hasMessageContaining("UNAVAILABLE");
  }

  private Collection<StreamsMetadata> group() {
    if (!started) {
      throw new IllegalStateException("not started");
    }
    return group;
  }

  private static void await(java.util.concurrent.Callable<Boolean> condition) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(10))
        .pollInterval(Duration.ofMillis(5))
        .until(condition);
  }

  private static StreamsMetadata instance(String host, int... partitions) {
    Set<TopicPartition> active = new java.util.HashSet<>();
    for (int partition : partitions) {
      active.add(new TopicPartition("log", partition));
    }
    active.add(new TopicPartition("another", 7));
    return new Instance(new HostInfo(host, 9001), active);
  }

  private record Instance(HostInfo hostInfo, Set<TopicPartition> topicPartitions)
      implements StreamsMetadata {
    @Override
    public Set<String> stateStoreNames() {
      return Set.of();
    }

    @Override
    public Set<TopicPartition> standbyTopicPartitions() {
      return Set.of();
    }

    @Override
    public Set<String> standbyStateStoreNames() {
      return Set.of();
    }

    @Override
    public String host() {
      return hostInfo.host();
    }

    @Override
    public int port() {
      return hostInfo.port();
    }
  }

  /** A call as the transport shows it to the server. */
  private static final class Caller extends ServerCallStreamObserver<Owners> {
    final List<Owners> got = java.util.Collections.synchronizedList(new ArrayList<>());
    volatile Throwable failure;
    private volatile boolean ready;
    private volatile boolean cancelled;
    private Runnable onReady;
    private Runnable onCancel;

    Caller(boolean ready) {
      this.ready = ready;
    }

    Owners last() {
      return got.isEmpty() ? Owners.getDefaultInstance() : got.get(got.size() - 1);
    }

    void becomesReady() {
      ready = true;
      onReady.run();
    }

    void cancel() {
      cancelled = true;
      onCancel.run();
    }

    @Override
    public boolean isReady() {
      return ready;
    }

    @Override
    public boolean isCancelled() {
      return cancelled;
    }

    @Override
    public void setOnReadyHandler(Runnable handler) {
      onReady = handler;
    }

    @Override
    public void setOnCancelHandler(Runnable handler) {
      onCancel = handler;
    }

    @Override
    public void onNext(Owners owners) {
      assertThat(failure).as("nothing follows an end").isNull();
      got.add(owners);
    }

    @Override
    public void onError(Throwable end) {
      failure = end;
    }

    @Override
    public void onCompleted() {}

    @Override
    public void setCompression(String compression) {}

    @Override
    public void disableAutoInboundFlowControl() {}

    @Override
    public void request(int count) {}

    @Override
    public void setMessageCompression(boolean enable) {}
  }
}
