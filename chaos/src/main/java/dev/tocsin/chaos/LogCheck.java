package dev.tocsin.chaos;

import dev.tocsin.engine.DigestSum;
import dev.tocsin.proto.admin.AdminGrpc;
import dev.tocsin.proto.admin.GetDigestRequest;
import dev.tocsin.proto.admin.PartitionDigest;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.DeadLetter;
import dev.tocsin.schemas.IncidentEvent;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Compares, when all is quiet, what the processors answer and have published with what the log
 * comes to when it is folded once more, and the dead letters with what was damaged.
 */
final class LogCheck {
  /** A tick may still come, and what it settles. */
  private static final Duration QUIET_MAX = Duration.ofSeconds(60);

  private static final Duration POLL = Duration.ofMillis(500);
  private static final Duration DIGEST_MAX = Duration.ofSeconds(60);
  private static final Codec<IncidentEvent> EVENTS = Codec.of(IncidentEvent.class);
  private static final Codec<DeadLetter> DEAD_LETTERS = Codec.of(DeadLetter.class);

  private final Cluster cluster;
  private final List<Group> groups;
  private final List<RawLog.Corrupt> corrupt;
  private final EventFollower follower;
  private final Differences differences;
  private final TopicReader reader;

  LogCheck(
      Cluster cluster,
      List<Group> groups,
      List<RawLog.Corrupt> corrupt,
      EventFollower follower,
      Differences differences) {
    this.cluster = cluster;
    this.groups = groups;
    this.corrupt = corrupt;
    this.follower = follower;
    this.differences = differences;
    this.reader = new TopicReader(cluster.bootstrap());
  }

  void run() throws InterruptedException, NotHealedException {
    for (int partition = 0; partition < Cluster.PARTITIONS; partition++) {
      LogFold fold = compareDigest(partition);
      fold.faults().forEach(each -> differences.add("%s", each));
      compareEvents(fold);
      compareDamaged(fold);
    }
    compareDeadLetters();
  }

  /** The log's fold, at the same entry as the processor's. */
  private LogFold compareDigest(int partition) throws InterruptedException, NotHealedException {
    long begun = System.nanoTime();
    while (true) {
      LogFold fold = new LogFold(partition, groups);
      reader.read(Cluster.TOPICS.log(), partition, fold::take);
      PartitionDigest told = digest(partition);
      if (told.getAppliedOffset() == fold.applied()) {
        compare(partition, told, fold.store().digest());
        return fold;
      }
      if (System.nanoTime() - begun > QUIET_MAX.toNanos()) {
        throw new NotHealedException(
            "partition %d is applied up to %d, and its log ends at %d"
                .formatted(partition, told.getAppliedOffset(), fold.applied()));
      }
      TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
    }
  }

  private void compare(int partition, PartitionDigest told, DigestSum folded) {
    if (told.getIncidents() != folded.incidents()
        || !told.getContent().equals(folded.content())
        || !told.getExact().equals(folded.exact())) {
      differences.add(
          "partition %d: the processor has %d incidents, %s, %s; its log folds to %d, %s, %s",
          partition,
          told.getIncidents(),
          told.getContent(),
          told.getExact(),
          folded.incidents(),
          folded.content(),
          folded.exact());
    }
  }

  private PartitionDigest digest(int partition) {
    return AdminGrpc.newBlockingStub(cluster.query().channel())
        .withDeadlineAfter(DIGEST_MAX)
        .getDigest(GetDigestRequest.getDefaultInstance())
        .getPartitions(partition);
  }

  /** Published are the fold's events, each once and in order; and the follower was told of all. */
  private void compareEvents(LogFold fold) throws InterruptedException, NotHealedException {
    List<byte[]> published = List.of();
    long begun = System.nanoTime();
    do {
      TimeUnit.MILLISECONDS.sleep(published.isEmpty() ? 0 : POLL.toMillis());
      List<byte[]> now = new ArrayList<>();
      reader.read(Cluster.TOPICS.events(), fold.partition(), event -> now.add(event.value()));
      published = now;
    } while (fold.eventCount() > published.size()
        && System.nanoTime() - begun < QUIET_MAX.toNanos());
    if (fold.eventCount() != published.size()) {
      differences.add(
          "partition %d: %d events are published, and its log folds to %d",
          fold.partition(), published.size(), fold.eventCount());
    }
    for (int i = 0; i < Math.min(fold.eventCount(), published.size()); i++) {
      IncidentEvent event = EVENTS.decode(published.get(i));
      if (!event.equals(fold.event(i))) {
        differences.add(
            "partition %d: event %d is %s, not %s", fold.partition(), i, event, fold.event(i));
        break; // one that is missing moves all behind it
      }
    }
    while (follower.last(fold.partition()) < fold.eventCount()
        && System.nanoTime() - begun < QUIET_MAX.toNanos()) {
      TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
    }
    if (follower.last(fold.partition()) != fold.eventCount()) {
      differences.add(
          "partition %d: the subscriber was told of %d events, and there are %d",
          fold.partition(), follower.last(fold.partition()), fold.eventCount());
    }
  }

  private void compareDamaged(LogFold fold) {
    List<Long> injected =
        corrupt.stream()
            .filter(each -> each.partition() == fold.partition())
            .map(RawLog.Corrupt::offset)
            .sorted()
            .toList();
    if (!injected.equals(fold.undecodable())) {
      differences.add(
          "partition %d: what cannot be read is at %s, and was put at %s",
          fold.partition(), fold.undecodable(), injected);
    }
  }

  /** Exactly the damaged records, each once. */
  private void compareDeadLetters() throws NotHealedException {
    TreeMap<String, ByteBuffer> injected = new TreeMap<>();
    corrupt.forEach(each -> injected.put(each.partition() + "-" + each.offset(), each.value()));
    reader.read(
        Cluster.TOPICS.deadLetters(),
        0,
        each -> {
          DeadLetter letter = DEAD_LETTERS.decode(each.value());
          String at = letter.getPartition() + "-" + letter.getOffset();
          if (!injected.containsKey(at)
              || !Objects.equals(injected.remove(at), letter.getEntry())) {
            differences.add("a dead letter that nobody damaged, or twice: %s", letter);
          }
        });
    injected.keySet().forEach(at -> differences.add("no dead letter of the record at %s", at));
  }
}
