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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** Streams that send for as long as the transport lets them, and never read an ack. */
final class SilentStreams implements AutoCloseable {
  private static final MethodDescriptor<byte[], AlertAck> METHOD =
      RawBytes.of(AlertIngestionGrpc.getStreamAlertsMethod());

  /** Of acks that a connection here buffers unread: HTTP/2's default. */
  private static final int WINDOW_BYTES = (64 << 10) - 1;

  private static final Duration REST_MAX = Duration.ofMinutes(2);
  private static final Duration STILL = Duration.ofSeconds(1);

  private final List<ManagedChannel> connections = new ArrayList<>();
  private final LongAdder sent = new LongAdder();
  private volatile Status ended;

  /** Opens them, so many a connection, and sends. */
  SilentStreams(EdgeTarget edge, int connections, int streamsEach, List<byte[]> requests) {
    for (int i = 0; i < connections; i++) {
      ManagedChannel channel = edge.connect(WINDOW_BYTES);
      this.connections.add(channel);
      for (int j = 0; j < streamsEach; j++) {
        ClientCall<byte[], AlertAck> call = channel.newCall(METHOD, CallOptions.DEFAULT);
        call.start(new Sender(call, requests), edge.headers());
      }
    }
  }

  /**
   * Waits until none of them has been able to send for a second.
   *
   * @return how many alerts they sent
   * @throws IOException if one has ended, or they have not come to rest in two minutes
   */
  long awaitRest() throws IOException, InterruptedException {
    long untilNs = System.nanoTime() + REST_MAX.toNanos();
    long before = -1;
    for (long now = sent.sum(); now != before || now == 0; now = sent.sum()) {
      check();
      if (System.nanoTime() - untilNs > 0) {
        throw new IOException("streams whose acks nobody reads can send without an end");
      }
      before = now;
      TimeUnit.NANOSECONDS.sleep(STILL.toNanos());
    }
    return before;
  }

  /**
   * Sees that all are open.
   *
   * @throws IOException if one has ended
   */
  void check() throws IOException {
    if (ended != null) {
      throw new IOException("a stream whose acks nobody reads ended with " + ended);
    }
  }

  @Override
  public void close() {
    connections.forEach(ManagedChannel::shutdownNow);
  }

  private final class Sender extends ClientCall.Listener<AlertAck> {
    private final ClientCall<byte[], AlertAck> call;
    private final List<byte[]> requests;
    private int next;

    Sender(ClientCall<byte[], AlertAck> call, List<byte[]> requests) {
      this.call = call;
      this.requests = requests;
    }

    @Override
    public void onReady() {
      while (call.isReady()) {
        call.sendMessage(requests.get(next));
        next = (next + 1) % requests.size();
        sent.increment();
      }
    }

    @Override
    public void onClose(Status end, Metadata trailers) {
      ended = end;
    }
  }
}
