package dev.tocsin.benchmarks;

import dev.tocsin.processor.LogTopics;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertBatchAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.schemas.Topics;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;

/**
 * Edge to applied: the storm in batches through an edge into a processor, as fast as the processor
 * applies it. No more alerts than a bound are sent that are not applied, so what is measured is
 * what goes on for as long as one likes: the lag cannot grow.
 */
final class PipelineBench {
  private static final int STREAMS = 4;
  private static final int LAG_MAX = 50_000;
  private static final int REFERENCE_RECORDS_PER_SECOND = 150_000;
  private static final Duration SUSTAINED = Duration.ofSeconds(60);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(30);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final MethodDescriptor<byte[], AlertBatchAck> METHOD =
      RawBytes.of(AlertIngestionGrpc.getStreamAlertBatchesMethod());

  private final EdgeStand stand;
  private final Rounds rounds;

  PipelineBench(EdgeStand stand, Rounds rounds) {
    this.stand = stand;
    this.rounds = rounds;
  }

  BenchResult run() throws IOException, InterruptedException {
    Topics topics = new Topics("pipeline", "g1");
    LogTopics.create(stand.kafka(), topics, EdgeStand.PARTITIONS, 1);
    Topics other = new Topics("pipeline-reference", "g1");
    LogTopics.create(stand.kafka(), other, EdgeStand.PARTITIONS, 1);
    ProducerReference producer =
        new ProducerReference(stand.bootstrap(), other.log(), EdgeRequests.alertBytes());
    long records = REFERENCE_RECORDS_PER_SECOND * Math.max(1, rounds.measured().toSeconds());
    List<BenchResult.Round> measured = new ArrayList<>();
    long lagMax = 0;
    try (EdgeProcess edge = stand.newEdge(EdgeKind.PLAIN, topics);
        ProcessorProcess processor = ProcessorProcess.start(stand, topics, 0);
        Load load = new Load(edge.target(), processor)) {
      rounds.warmUp("pipeline", load::run);
      for (int round = 1; round <= rounds.count(); round++) {
        load.pause();
        double theirs = producer.run(records);
        load.resume();
        load.run(rounds.settle());
        double ours = load.run(rounds.atLeast(SUSTAINED));
        lagMax = Math.max(lagMax, load.lagMax());
        measured.add(new BenchResult.Round(ours, theirs));
        rounds
            .progress()
            .printf(
                "pipeline, round %d of %d: %,.0f against %,.0f alerts/s%n",
                round, rounds.count(), ours, theirs);
      }
    }
    return BenchResult.of("pipeline", "alerts/s", measured, Double.NaN, Double.NaN)
        .with(Map.of("lag_max_alerts", (double) lagMax));
  }

  /**
   * Streams that send as long as there is room, and somebody who makes room as alerts are applied.
   */
  private static final class Load implements AutoCloseable {
    private final ProcessorProcess processor;
    private final Semaphore room = new Semaphore(LAG_MAX / EdgeRequests.BATCH);
    private final AtomicReference<String> failure = new AtomicReference<>();
    private final List<Stream> streams = new ArrayList<>();
    private long credited;
    private long lagMax;
    private boolean paused;

    Load(EdgeTarget edge, ProcessorProcess processor) {
      this.processor = processor;
      for (int i = 0; i < STREAMS; i++) {
        streams.add(new Stream(edge, new StormBatches(i), room, failure));
      }
      streams.forEach(Thread::start);
    }

    /** Goes on for so long, and gives how many a second were applied. */
    double run(Duration time) throws IOException, InterruptedException {
      long fromNs = System.nanoTime();
      long before = credit();
      while (System.nanoTime() - fromNs < time.toNanos()) {
        TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
        credit();
      }
      return (credit() - before) / ((System.nanoTime() - fromNs) / 1e9);
    }

    /** The most alerts that were sent and not applied. */
    long lagMax() {
      return lagMax;
    }

    /** Until {@link #resume} no room is made: all that was sent is applied, and nothing follows. */
    void pause() throws IOException, InterruptedException {
      paused = true;
      long untilNs = System.nanoTime() + PAUSE_MAX.toNanos();
      long sent = -1;
      while (sent() != sent || processor.appliedAlerts() < sent) {
        if (System.nanoTime() - untilNs > 0) {
          throw new IOException("what was sent is not applied");
        }
        sent = sent();
        TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
      }
    }

    void resume() throws IOException {
      paused = false;
      credit();
    }

    private long sent() {
      return streams.stream().mapToLong(stream -> stream.sent.sum()).sum();
    }

    private long credit() throws IOException {
      if (failure.get() != null) {
        throw new IOException("the pipeline's load ended: " + failure.get());
      }
      long applied = processor.appliedAlerts();
      lagMax = Math.max(lagMax, sent() - applied);
      if (!paused) {
        int batches = (int) ((applied - credited) / EdgeRequests.BATCH);
        credited += (long) batches * EdgeRequests.BATCH;
        room.release(batches);
      }
      return applied;
    }

    @Override
    public void close() {
      streams.forEach(Stream::end);
    }
  }

  /** One stream and the thread that sends on it. */
  private static final class Stream extends Thread {
    private final StormBatches batches;
    private final Semaphore room;
    private final AtomicReference<String> failure;
    private final ManagedChannel channel;
    private final ClientCall<byte[], AlertBatchAck> call;
    private volatile boolean ending;
    private final LongAdder sent = new LongAdder();

    Stream(EdgeTarget edge, StormBatches batches, Semaphore room, AtomicReference<String> failure) {
      super("pipeline-stream");
      setDaemon(true);
      this.batches = batches;
      this.room = room;
      this.failure = failure;
      this.channel = edge.connect();
      this.call = channel.newCall(METHOD, CallOptions.DEFAULT);
    }

    @Override
    public void run() {
      call.start(new Acks(), new Metadata());
      call.request(Integer.MAX_VALUE);
      try {
        while (!ending) {
          room.acquire();
          call.sendMessage(batches.next());
          sent.add(EdgeRequests.BATCH);
        }
      } catch (InterruptedException e) {
        call.cancel("the bench ends", e);
      }
    }

    void end() {
      ending = true;
      interrupt();
      channel.shutdownNow();
    }

    private final class Acks extends ClientCall.Listener<AlertBatchAck> {
      @Override
      public void onMessage(AlertBatchAck acks) {
        for (AlertAck ack : acks.getAcksList()) {
          String refusal = EdgeRequests.refusal(ack);
          if (!refusal.isEmpty()) {
            failure.compareAndSet(null, refusal);
          }
        }
      }

      @Override
      public void onClose(Status status, Metadata trailers) {
        if (!ending) {
          failure.compareAndSet(null, status.toString());
        }
      }
    }
  }
}
