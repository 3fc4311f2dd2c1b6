package dev.tocsin.cli;

import com.google.gson.JsonObject;
import dev.tocsin.proto.admin.GetProgressRequest;
import dev.tocsin.proto.admin.GetProgressResponse;
import dev.tocsin.proto.admin.PartitionProgress;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.Position;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;

/**
 * What became of the demo's alerts, from the sending to the stores.
 *
 * @param sent what the sender counted
 * @param before what the server had applied, since its log began, before anything was sent
 * @param progress what it has applied afterwards
 * @param elapsed from the first alert sent until all were applied
 */
record DemoCounts(
    StreamResult sent, GetProgressResponse before, GetProgressResponse progress, Duration elapsed) {
  /** The server's own life, as far as it is known here. */
  interface Life {
    /** One of which nothing is known: somebody else runs it. */
    Life UNKNOWN =
        new Life() {
          @Override
          public boolean died(long waitMs) throws InterruptedException {
            TimeUnit.MILLISECONDS.sleep(waitMs);
            return false;
          }

          @Override
          public String outputEnd() {
            return "";
          }
        };

    /** Waits at most so long for it to die; whether it did. */
    boolean died(long waitMs) throws InterruptedException;

    /** The last lines of what it printed, to be put behind a sentence. */
    String outputEnd() throws IOException;
  }

  /** How long the server may apply nothing before the wait is given up. */
  static final Duration STALL_MAX = Duration.ofSeconds(60);

  private static final long RETRY_MS = 100;

  /**
   * Waits until the server has applied every acknowledged alert.
   *
   * @throws Failure if it stalls for {@link #STALL_MAX}, or its process dies
   */
  static DemoCounts await(
      Server server, GetProgressResponse before, StreamResult sent, Life process)
      throws InterruptedException, IOException, Failure {
    long movedNanos = System.nanoTime();
    long applied = -1;
    while (true) {
      StatusRuntimeException fault = null;
      try {
        server.incidents().listIncidents(at(sent.positions()));
        GetProgressResponse progress =
            server.admin().getProgress(GetProgressRequest.getDefaultInstance());
        if (covers(progress, sent.positions())) {
          return new DemoCounts(sent, before, progress, Duration.ZERO);
        }
        long now = alerts(progress);
        movedNanos = now > applied ? System.nanoTime() : movedNanos;
        applied = Math.max(applied, now);
      } catch (StatusRuntimeException e) {
        fault = e;
      }
      giveUp(fault, movedNanos);
      if (process.died(RETRY_MS)) {
        throw new Failure(Failure.WORK_FAILED, "the standalone has ended" + process.outputEnd());
      }
    }
  }

  private static void giveUp(StatusRuntimeException fault, long movedNanos) throws Failure {
    boolean passing =
        fault == null
            || fault.getStatus().getCode() == Status.Code.UNAVAILABLE
            || fault.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED;
    if (!passing) {
      throw Failure.of(fault);
    }
    if (System.nanoTime() - movedNanos > STALL_MAX.toNanos()) {
      throw new Failure(
          Failure.WORK_FAILED,
          "what was acknowledged is not applied after %d s without progress%s"
              .formatted(
                  STALL_MAX.toSeconds(),
                  fault == null ? "" : ": " + Failure.of(fault).getMessage()));
    }
  }

  /** A read that the server answers when it has applied these offsets. */
  private static ListIncidentsRequest at(Map<Integer, Long> positions) {
    List<Position> wanted = new ArrayList<>();
    positions.forEach(
        (partition, offset) ->
            wanted.add(Position.newBuilder().setPartition(partition).setOffset(offset).build()));
    return ListIncidentsRequest.newBuilder().setPageSize(1).addAllMinPosition(wanted).build();
  }

  private static boolean covers(GetProgressResponse progress, Map<Integer, Long> positions) {
    long covered =
        progress.getPartitionsList().stream()
            .filter(p -> positions.containsKey(p.getPartition()))
            .filter(p -> p.getAppliedOffset() > positions.get(p.getPartition()))
            .count();
    return covered == positions.size();
  }

  DemoCounts took(Duration time) {
    return new DemoCounts(sent, before, progress, time);
  }

  long incidents() {
    return since(PartitionProgress::getOpened);
  }

  /**
   * What is not accounted for, in words; empty if everything is. An alert that was sent again after
   * UNAVAILABLE may be on the log twice: its second copy then counts as redelivered.
   */
  String missing() {
    List<String> faults = new ArrayList<>();
    if (sent.acknowledged() + sent.rejected() != sent.sent()) {
      faults.add(
          "%,d sent, but %,d acknowledged and %,d rejected"
              .formatted(sent.sent(), sent.acknowledged(), sent.rejected()));
    }
    long alerts = since(PartitionProgress::getAlerts);
    if (alerts < sent.acknowledged() || alerts > sent.acknowledged() + sent.resent()) {
      faults.add("%,d acknowledged, but %,d applied".formatted(sent.acknowledged(), alerts));
    }
    long explained =
        occurrences() + redelivered() + resolved() + unmatched() + stale() + suppressed() + muted();
    if (explained != alerts) {
      faults.add("%,d applied, but %,d of them in the counts".formatted(alerts, explained));
    }
    long deadLettered = since(PartitionProgress::getDeadLettered);
    if (deadLettered != 0) {
      faults.add("%,d entries went to the dead letters".formatted(deadLettered));
    }
    return String.join("; ", faults);
  }

  String summary() {
    return ("%,d sent, %,d acknowledged, %,d rejected, %,d broken lines: %,d incidents, %,d occurrences,"
            + " %,d redelivered, %,d resolved, %,d unmatched, %,d stale, in %.1f s")
        .formatted(
            sent.sent(),
            sent.acknowledged(),
            sent.rejected(),
            sent.broken(),
            incidents(),
            occurrences(),
            redelivered(),
            resolved(),
            unmatched(),
            stale(),
            elapsed.toMillis() / 1e3);
  }

  JsonObject json() {
    JsonObject json = new JsonObject();
    json.addProperty("sent", sent.sent());
    json.addProperty("acknowledged", sent.acknowledged());
    json.addProperty("rejected", sent.rejected());
    json.addProperty("incidents", incidents());
    json.addProperty("occurrences", occurrences());
    json.addProperty("redelivered", redelivered());
    json.addProperty("resolved", resolved());
    json.addProperty("unmatched", unmatched());
    json.addProperty("stale", stale());
    json.addProperty("broken_lines", sent.broken());
    json.addProperty("elapsed_ms", elapsed.toMillis());
    return json;
  }

  private long occurrences() {
    return since(PartitionProgress::getOccurrences);
  }

  private long redelivered() {
    return since(PartitionProgress::getRedelivered);
  }

  private long resolved() {
    return since(PartitionProgress::getResolved);
  }

  private long unmatched() {
    return since(PartitionProgress::getUnmatched);
  }

  private long stale() {
    return since(PartitionProgress::getStale);
  }

  private long suppressed() {
    return since(PartitionProgress::getSuppressed);
  }

  private long muted() {
    return since(PartitionProgress::getMuted);
  }

  private long since(ToLongFunction<PartitionProgress> count) {
    return sum(progress, count) - sum(before, count);
  }

  private static long alerts(GetProgressResponse progress) {
    return sum(progress, PartitionProgress::getAlerts);
  }

  private static long sum(GetProgressResponse progress, ToLongFunction<PartitionProgress> count) {
    return progress.getPartitionsList().stream().mapToLong(count).sum();
  }
}
