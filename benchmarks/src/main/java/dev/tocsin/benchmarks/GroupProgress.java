package dev.tocsin.benchmarks;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * How fast a group gets to the end of a topic, by the offsets that it commits: what is committed is
 * done, whoever does it.
 */
final class GroupProgress {
  /** Before it the JIT compiler has most of the work; from here on it is timed. */
  private static final double FROM = 0.5;

  private static final Duration POLL = Duration.ofMillis(50);
  private static final Duration END_MAX = Duration.ofMinutes(10);

  private final Admin admin;
  private final Map<TopicPartition, Long> ends = new HashMap<>();

  GroupProgress(Admin admin, String topic, int partitions)
      throws IOException, InterruptedException {
    this.admin = admin;
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    for (int i = 0; i < partitions; i++) {
      asked.put(new TopicPartition(topic, i), OffsetSpec.latest());
    }
    try {
      admin.listOffsets(asked).all().get().forEach((at, end) -> ends.put(at, end.offset()));
    } catch (ExecutionException e) {
      throw new IOException(e);
    }
  }

  /**
   * Waits until the group has come to the end that the topic had.
   *
   * @param process which does the work; that it has ended is said at once
   * @return which share of the topic it did in a second, from the first commit behind {@link #FROM}
   *     to the last one before the end: what it waits for its commit at the end is not counted
   */
  double awaitEnd(String group, Process process) throws IOException, InterruptedException {
    long untilNs = System.nanoTime() + END_MAX.toNanos();
    Mark from = new Mark(0, System.nanoTime());
    Mark to = from;
    while (true) {
      Mark now = new Mark(done(group), System.nanoTime());
      if (now.done >= 1) {
        return (to.done > from.done ? to : now).since(from);
      }
      if (now.done > to.done) {
        to = now;
        from = from.done < FROM ? now : from;
      }
      if (!process.isAlive() || now.atNs - untilNs > 0) {
        throw new IOException(
            "%s came to %.0f %% of the topic only".formatted(group, now.done * 100));
      }
      TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
    }
  }

  /** How much was done when. */
  private record Mark(double done, long atNs) {
    double since(Mark before) {
      return (done - before.done) / ((atNs - before.atNs) / 1e9);
    }
  }

  private double done(String group) throws IOException, InterruptedException {
    Map<TopicPartition, OffsetAndMetadata> committed;
    try {
      committed = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    } catch (ExecutionException e) {
      throw new IOException(e);
    }
    long all = 0;
    long done = 0;
    for (Map.Entry<TopicPartition, Long> end : ends.entrySet()) {
      OffsetAndMetadata at = committed.get(end.getKey());
      all += end.getValue();
      done += at == null ? 0 : Math.min(at.offset(), end.getValue());
    }
    return (double) done / all;
  }
}
