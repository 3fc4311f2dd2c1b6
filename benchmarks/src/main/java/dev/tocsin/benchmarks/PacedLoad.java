package dev.tocsin.benchmarks;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * Sends single alerts by a schedule that no answer delays: at a constant rate, to many
 * bidirectional streams in turn. Latency counts from when an alert was due, so an edge that stalls
 * is charged for all that was due meanwhile, and so is this load for being late itself.
 */
final class PacedLoad {
  /** How often it looks for what is due; that much of the latency may be its own. */
  private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private static final Duration DRAIN_MAX = Duration.ofSeconds(30);
  private static final MethodDescriptor<byte[], AlertAck> METHOD =
      RawBytes.of(AlertIngestionGrpc.getStreamAlertsMethod());

  private final int connections;
  private final int streams;
  private final double alertsPerSecond;

  /**
   * What came of a run.
   *
   * @param alertsPerSecond acknowledged within the measured time
   * @param latencyMicros of those that were due in the measured time, all of them
   * @param refused how many were answered but not taken, from the beginning to the end
   */
  record Outcome(double alertsPerSecond, Histogram latencyMicros, long refused) {}

  /**
   * A load.
   *
   * @param streams of all connections together; each gets its share of the alerts, and those of a
   *     connection are due one after another, as with a client that looks after many things
   * @param alertsPerSecond of all streams together
   */
  PacedLoad(int connections, int streams, double alertsPerSecond) {
    this.connections = connections;
    this.streams = streams;
    this.alertsPerSecond = alertsPerSecond;
  }

  /**
   * Sends for a time, and waits for all answers.
   *
   * @param requests of the streams of each connection, over and over; so many may be unanswered on
   *     a stream
   * @throws IOException if any alert is not answered, or the edge is so far behind that more are
   *     unanswered
   */
  Outcome run(EdgeTarget edge, List<List<byte[]>> requests, Duration warmUp, Duration measured)
      throws IOException, InterruptedException {
    List<Connection> opened = new ArrayList<>();
    try {
      for (int i = 0; i < connections; i++) {
        opened.add(new Connection(edge, requests.get(i)));
      }
      List<Stream> all = new ArrayList<>();
      for (int i = 0; i < streams; i++) {
        all.add(opened.get((int) ((long) i * connections / streams)).open());
      }
      return run(opened, all, warmUp, measured);
    } finally {
      opened.forEach(connection -> connection.channel.shutdownNow());
    }
  }

  private Outcome run(List<Connection> opened, List<Stream> all, Duration warmUp, Duration measured)
      throws IOException, InterruptedException {
    long fromNs = System.nanoTime() + TICK_NANOS;
    opened.forEach(connection -> connection.measuredFromNs = fromNs + warmUp.toNanos());
    long sent = send(all, fromNs, 0, warmUp);
    long before = answered(opened);
    send(all, fromNs, sent, warmUp.plus(measured));
    double perSecond = (answered(opened) - before) / (measured.toNanos() / 1e9);
    all.forEach(stream -> stream.call.halfClose());
    for (Stream stream : all) {
      stream.awaitEnd();
    }
    Histogram latency = new Histogram(3);
    for (Connection connection : opened) {
      latency.add(connection.latencyMicros);
    }
    long refused = opened.stream().mapToLong(connection -> connection.refused.sum()).sum();
    return new Outcome(perSecond, latency, refused);
  }

  private static long answered(List<Connection> opened) {
    return opened.stream().mapToLong(connection -> connection.answered.sum()).sum();
  }

  /**
   * Sends whatever is due before this time has passed.
   *
   * @param done how many were sent before
   * @return how many are sent now
   */
  private long send(List<Stream> all, long fromNs, long done, Duration until) throws IOException {
    long last = (long) (until.toNanos() / 1e9 * alertsPerSecond);
    long sent = done;
    while (sent < last) {
      long dueNs = fromNs + (long) (sent * 1e9 / alertsPerSecond);
      long earlyNs = dueNs - System.nanoTime();
      if (earlyNs > 0) {
        LockSupport.parkNanos(Math.max(earlyNs, TICK_NANOS));
      } else {
        all.get((int) (sent % all.size())).send(dueNs);
        sent++;
      }
    }
    return sent;
  }

  /** A connection; what it measures is of its own thread. */
  private static final class Connection {
    private final EdgeTarget edge;
    private final List<byte[]> requests;
    private final ManagedChannel channel;
    private final Histogram latencyMicros = new Histogram(3);
    private final LongAdder answered = new LongAdder();
    private volatile long measuredFromNs;
    private final LongAdder refused = new LongAdder();

    Connection(EdgeTarget edge, List<byte[]> requests) {
      this.edge = edge;
      this.requests = requests;
      this.channel = edge.connect();
    }

    Stream open() {
      Stream stream = new Stream(this, channel.newCall(METHOD, CallOptions.DEFAULT));
      stream.call.start(stream, edge.headers());
      stream.call.request(Integer.MAX_VALUE);
      return stream;
    }
  }

  /** A stream; the thread that runs sends on it, its connection's thread receives. */
  private static final class Stream extends ClientCall.Listener<AlertAck> {
    private final Connection connection;
    private final ClientCall<byte[], AlertAck> call;

    /** By request: when it was due; 0 once it is answered. */
    private final AtomicLongArray dueNs;

    private final CountDownLatch closed = new CountDownLatch(1);
    private int next;
    private volatile Status status;

    Stream(Connection connection, ClientCall<byte[], AlertAck> call) {
      this.connection = connection;
      this.call = call;
      this.dueNs = new AtomicLongArray(connection.requests.size());
    }

    void send(long due) throws IOException {
      if (status != null || dueNs.getAcquire(next) != 0) {
        throw new IOException(
            status != null
                ? "a stream ended with " + status
                : "%,d alerts of a stream are unanswered".formatted(dueNs.length()));
      }
      dueNs.setRelease(next, due);
      call.sendMessage(connection.requests.get(next));
      next = (next + 1) % dueNs.length();
    }

    void awaitEnd() throws IOException, InterruptedException {
      boolean ended = closed.await(DRAIN_MAX.toMillis(), TimeUnit.MILLISECONDS);
      if (!ended || !status.isOk()) {
        throw new IOException("a stream ended with " + status);
      }
      for (int i = 0; i < dueNs.length(); i++) {
        if (dueNs.get(i) != 0) {
          throw new IOException("a stream ended with alerts unanswered");
        }
      }
    }

    @Override
    public void onMessage(AlertAck ack) {
      int request = EdgeRequests.number(ack.getAlertId());
      long due = dueNs.getAcquire(request);
      dueNs.setRelease(request, 0);
      if (due - connection.measuredFromNs >= 0) {
        connection.latencyMicros.recordValue((System.nanoTime() - due) / 1_000);
      }
      connection.answered.increment();
      if (ack.getStatus() != AlertAck.Status.ACCEPTED) {
        connection.refused.increment();
      }
    }

    @Override
    public void onClose(Status end, Metadata trailers) {
      status = end;
      closed.countDown();
    }
  }
}
