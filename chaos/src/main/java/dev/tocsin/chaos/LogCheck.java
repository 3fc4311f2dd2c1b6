package dev.tocsin.chaos;

import dev.tocsin.engine.DigestSum;
import dev.tocsin.proto.admin.AdminGrpc;
import dev.tocsin.proto.admin.GetDigestRequest;
import dev.tocsin.proto.admin.PartitionDigest;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.DeadLetter;
import dev.tocsin.schemas.IncidentEvent;
import io.grpc.StatusRuntimeException;
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
      long untilNs = System.nanoTime() + QUIET_MAX.toNanos();
      LogFold fold = new LogFold(partition, groups);
      List<byte[]> published;
      do {
        compareDigest(fold, untilNs);
        published = published(fold, untilNs);
        // More than the fold has are those of a tick since then: it goes on.
      } while (published.size() > fold.eventCount() && System.nanoTime() - untilNs < 0);
      fold.faults().forEach(each -> differences.add("%s", each));
      compareEvents(fold, published);
      compareTold(fold, untilNs);
      compareDamaged(fold);
    }
    compareDeadLetters();
  }

  /** Folds on to where the processor is: there both must be the same. */
  private void compareDigest(LogFold fold, long untilNs)
      throws InterruptedException, NotHealedException {
    int partition = fold.partition();
    PartitionDigest told = digest(partition, untilNs);
    reader.read(
        Cluster.TOPICS.log(),
        partition,
        fold.applied(),
        entry -> {
          if (entry.offset() < told.getAppliedOffset()) {
            fold.take(entry);
          }
        });
    if (fold.applied() != told.getAppliedOffset()) {
      differences.add(
          "partition %d is applied up to %d, and of its log there is no more than up to %d",
          partition, told.getAppliedOffset(), fold.applied());
    }
    compare(partition, told, fold.store().digest());
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

  private PartitionDigest digest(int partition, long untilNs)
      throws InterruptedException, NotHealedException {
    while (true) {
      try {
        return AdminGrpc.newBlockingStub(cluster.query().channel())
            .withDeadlineAfter(DIGEST_MAX)
            .getDigest(GetDigestRequest.getDefaultInstance())
            .getPartitions(partition);
      } catch (StatusRuntimeException moving) { // as from one that was a zombie a moment ago
        if (!Answers.mayRefuse(moving)) {
          throw moving;
        }
        if (System.nanoTime() - untilNs > 0) {
          throw new NotHealedException(
              "partition %d gives no digest: %s"
                  .formatted(partition, Answers.text(moving.getStatus())));
        }
      }
      TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
    }
  }

  /** What is published, as soon as it is as much as the fold has. */
  private List<byte[]> published(LogFold fold, long untilNs)
      throws InterruptedException, NotHealedException {
    List<byte[]> published = read(fold.partition());
    while (published.size() < fold.eventCount() && System.nanoTime() - untilNs < 0) {
      TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
      published = read(fold.partition());
    }
    return published;
  }

  private List<byte[]> read(int partition) throws NotHealedException {
    List<byte[]> published = new ArrayList<>();
    reader.read(Cluster.TOPICS.events(), partition, 0, event -> published.add(event.value()));
    return published;
  }

  /** Published are the fold's events, each once and in order. */
  private void compareEvents(LogFold fold, List<byte[]> published) {
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
  }

  /** The follower was told of all, and of nothing that is not published. */
  private void compareTold(LogFold fold, long untilNs)
      throws InterruptedException, NotHealedException {
    while (follower.last(fold.partition()) < fold.eventCount() && System.nanoTime() - untilNs < 0) {
      TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
    }
    long told = follower.last(fold.partition());
    int published = read(fold.partition()).size();
    if (told < fold.eventCount() || told > published) {
      differences.add(
          "partition %d: the subscriber was told of %d events, and there are %d",
          fold.partition(), told, published);
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
