package dev.tocsin.processor;

import dev.tocsin.proto.state.Owner;
import dev.tocsin.proto.state.Owners;
import dev.tocsin.runtime.Errors;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.StreamsMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells watchers who owns what, as the group's metadata has it, and again whenever that changes. A
 * watcher that does not read gets the newest when it reads on, never a queue of old ones.
 * Thread-safe.
 */
final class OwnerFeed implements AutoCloseable {
  static final Duration POLL = Duration.ofMillis(200);

  private static final Logger LOG = LoggerFactory.getLogger(OwnerFeed.class);
  static final int WATCHERS_MAX = 1_000;

  /** One watcher; its lock orders what is sent to it. */
  private final class Watcher {
    private final ServerCallStreamObserver<Owners> reply;
    private Owners sent;
    private boolean ended;

    Watcher(ServerCallStreamObserver<Owners> reply) {
      this.reply = reply;
    }

    synchronized void send() {
      Owners newest = current;
      if (!ended && reply.isReady() && !reply.isCancelled() && !newest.equals(sent)) {
        sent = newest;
        reply.onNext(newest);
      }
    }

    synchronized void end() {
      if (!ended && !reply.isCancelled()) {
        ended = true;
        reply.onError(Errors.unavailable("this instance stops", POLL));
      }
    }
  }

  private final int partitions;
  private final String topic;
  private final Supplier<Collection<StreamsMetadata>> group;
  private final Set<Watcher> watchers = ConcurrentHashMap.newKeySet();
  private final ScheduledFuture<?> polling;
  private volatile Owners current = Owners.getDefaultInstance();
  private volatile boolean closed;

  OwnerFeed(
      int partitions,
      String topic,
      Supplier<Collection<StreamsMetadata>> group,
      ScheduledExecutorService timer) {
    this.partitions = partitions;
    this.topic = topic;
    this.group = group;
    this.polling =
        timer.scheduleWithFixedDelay(this::poll, 0, POLL.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Tells the present owners now, and each change until the call ends. */
  void watch(ServerCallStreamObserver<Owners> reply) {
    if (watchers.size() >= WATCHERS_MAX) {
      reply.onError(Errors.exhausted(WATCHERS_MAX + " watch already", POLL));
      return;
    }
    Watcher watcher = new Watcher(reply);
    reply.setOnCancelHandler(() -> watchers.remove(watcher));
    reply.setOnReadyHandler(watcher::send);
    watchers.add(watcher);
    watcher.send();
    if (closed) {
      watcher.end(); // it came too late to be met by close
    }
  }

  @Override
  public void close() {
    closed = true;
    polling.cancel(false);
    watchers.forEach(Watcher::end);
    watchers.clear();
  }

  /** While the group's metadata cannot be had, what was last known stands. */
  private void poll() {
    try {
      current = read();
      watchers.forEach(Watcher::send);
    } catch (RuntimeException e) {
      LOG.debug("the owners are not known now", e);
    }
  }

  private Owners read() {
    Owners.Builder owners = Owners.newBuilder().setPartitions(partitions);
    group.get().stream()
        .map(this::owner)
        .filter(owner -> owner.getActiveCount() + owner.getStandbyCount() > 0)
        .sorted(Comparator.comparing(Owner::getAddress))
        .forEach(owners::addOwners);
    return owners.build();
  }

  private Owner owner(StreamsMetadata instance) {
    return Owner.newBuilder()
        .setAddress(instance.host() + ":" + instance.port())
        .addAllActive(numbers(instance.topicPartitions()))
        .addAllStandby(numbers(instance.standbyTopicPartitions()))
        .build();
  }

  private List<Integer> numbers(Set<TopicPartition> all) {
    return all.stream()
        .filter(each -> each.topic().equals(topic))
        .map(TopicPartition::partition)
        .sorted()
        .toList();
  }
}
