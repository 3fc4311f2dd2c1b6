package dev.tocsin.benchmarks;

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
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;

/**
 * Keeps several bidirectional streams full: each on a connection of its own, with a bounded number
 * of requests that are not answered. A request is answered by exactly one reply; replies tell which
 * by a number of their own, and how many alerts of it were taken.
 */
final class StreamLoad<R> {
  private static final int STREAMS = 4;
  private static final Duration DRAIN_MAX = Duration.ofSeconds(30);

  /** Reads a reply. */
  interface Reply<R> {
    /** The request's place in its stream's list. */
    int request(R reply);

    /** Alerts that were taken. */
    int accepted(R reply);

    /** Why the first of the others was not taken; empty if all were. */
    String refusal(R reply);
  }

  /**
   * What came of a run.
   *
   * @param alertsPerSecond acknowledged within the measured time
   */
  record Outcome(double alertsPerSecond, Histogram latencyMicros) {}

  private final MethodDescriptor<byte[], R> method;
  private final Reply<R> replies;
  private final int alertsPerRequest;
  private final int unansweredMax;

  StreamLoad(
      MethodDescriptor<byte[], R> method,
      Reply<R> replies,
      int alertsPerRequest,
      int unansweredMax) {
    this.method = method;
    this.replies = replies;
    this.alertsPerRequest = alertsPerRequest;
    this.unansweredMax = unansweredMax;
  }

  /**
   * Sends each stream its requests, over and over, for a time.
   *
   * @param requests for each stream, more than can be unanswered
   * @throws IOException if any alert was not taken, or not answered
   */
  Outcome run(EdgeTarget edge, List<List<byte[]>> requests, Duration warmUp, Duration measured)
      throws IOException, InterruptedException {
    List<Stream> streams = new ArrayList<>();
    for (List<byte[]> own : requests) {
      streams.add(new Stream(edge, own));
    }
    streams.forEach(Stream::start);
    TimeUnit.NANOSECONDS.sleep(warmUp.toNanos());
    long before = streams.stream().mapToLong(stream -> stream.measure(true)).sum();
    long fromNs = System.nanoTime();
    TimeUnit.NANOSECONDS.sleep(measured.toNanos());
    long after = streams.stream().mapToLong(stream -> stream.measure(false)).sum();
    double seconds = (System.nanoTime() - fromNs) / 1e9;
    Histogram latency = new Histogram(3);
    for (Stream stream : streams) {
      stream.end();
      latency.add(stream.latencyMicros);
    }
    return new Outcome((after - before) / seconds, latency);
  }

  static int streams() {
    return STREAMS;
  }

  /** One stream; everything but measuring happens on its connection's own thread. */
  private final class Stream extends ClientCall.Listener<R> {
    private final EdgeTarget edge;
    private final List<byte[]> requests;
    private final long[] sentNs;
    private final ManagedChannel channel;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Histogram latencyMicros = new Histogram(3);
    private ClientCall<byte[], R> call;
    private int next;
    private int unanswered;
    private volatile boolean ending;
    private boolean halfClosed;
    private volatile boolean measuring;
    private final LongAdder accepted = new LongAdder();
    private long refused;
    private String refusal = "";
    private volatile Status status;

    Stream(EdgeTarget edge, List<byte[]> requests) {
      this.edge = edge;
      this.requests = requests;
      this.sentNs = new long[requests.size()];
      this.channel = edge.connect();
    }

    void start() {
      call = channel.newCall(method, CallOptions.DEFAULT);
      call.start(this, edge.headers());
      call.request(unansweredMax);
    }

    long measure(boolean on) {
      measuring = on;
      return accepted.sum();
    }

    void end() throws IOException, InterruptedException {
      ending = true;
      boolean ended = closed.await(DRAIN_MAX.toMillis(), TimeUnit.MILLISECONDS);
      channel.shutdownNow();
      if (!ended || !status.isOk() || refused > 0 || unanswered > 0) {
        throw new IOException(
            "a stream ended with %s, %d alerts refused (%s), %d requests unanswered"
                .formatted(status, refused, refusal, unanswered));
      }
    }

    @Override
    public void onReady() {
      send();
    }

    @Override
    public void onMessage(R reply) {
      unanswered--;
      int taken = replies.accepted(reply);
      accepted.add(taken);
      refused += alertsPerRequest - taken;
      if (refusal.isEmpty()) {
        refusal = replies.refusal(reply);
      }
      if (measuring) {
        latencyMicros.recordValue((System.nanoTime() - sentNs[replies.request(reply)]) / 1_000);
      }
      call.request(1);
      send();
    }

    @Override
    public void onClose(Status end, Metadata trailers) {
      status = end;
      closed.countDown();
    }

    private void send() {
      while (!ending && unanswered < unansweredMax && call.isReady()) {
        sentNs[next] = System.nanoTime();
        call.sendMessage(requests.get(next));
        next = (next + 1) % requests.size();
        unanswered++;
      }
      if (ending && !halfClosed) {
        halfClosed = true;
        call.halfClose();
      }
    }
  }
}
