package dev.tocsin.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc.AlertIngestionImplBase;
import dev.tocsin.proto.alerts.AlertMessage;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Against a server of its own, which is as slow as the test wants it. */
class PacedLoadTest {
  private static final int PER_SECOND = 1_000;
  private static final Duration MEASURED = Duration.ofMillis(500);

  private Server server;

  @AfterEach
  void stop() {
    server.shutdownNow();
  }

  @Test
  void run_chargesAStallForAllThatWasDueMeanwhile() throws Exception {
    PacedLoad.Outcome outcome = run(AlertAck.Status.ACCEPTED, Duration.ofMillis(400));

    // A load that waited for answers would have one slow alert; here about 400 of 500 are late.
    assertThat(outcome.latencyMicros().getTotalCount()).isEqualTo(500);
    assertThat(outcome.latencyMicros().getValueAtPercentile(50)).isGreaterThan(100_000);
    assertThat(outcome.refused()).isZero();
  }

  @Test
  void run_countsWhatIsRefused() throws Exception {
    assertThat(run(AlertAck.Status.UNAVAILABLE, Duration.ZERO).refused()).isEqualTo(500);
  }

  /** One connection, two streams; the server stalls once, at its first alert. */
  private PacedLoad.Outcome run(AlertAck.Status status, Duration stall) throws Exception {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress("localhost", 0))
            .directExecutor()
            .addService(new Stalling(status, stall))
            .build()
            .start();
    EdgeTarget target =
        new EdgeTarget(server.getPort(), InsecureChannelCredentials.create(), Optional.empty());
    List<List<byte[]>> requests = EdgeRequests.alerts(1, 1_000);
    return new PacedLoad(1, 2, PER_SECOND).run(target, requests, Duration.ZERO, MEASURED);
  }

  private static final class Stalling extends AlertIngestionImplBase {
    private final AlertAck.Status status;
    private final Duration stall;
    private boolean stalled;

    Stalling(AlertAck.Status status, Duration stall) {
      this.status = status;
      this.stall = stall;
    }

    @Override
    public StreamObserver<AlertMessage> streamAlerts(StreamObserver<AlertAck> acks) {
      return new StreamObserver<>() {
        @Override
        public void onNext(AlertMessage alert) {
          stallOnce();
          acks.onNext(
              AlertAck.newBuilder().setAlertId(alert.getAlertId()).setStatus(status).build());
        }

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {
          acks.onCompleted();
        }
      };
    }

    private void stallOnce() {
      if (!stalled) {
        stalled = true;
        try {
          boolean never = new CountDownLatch(1).await(stall.toMillis(), TimeUnit.MILLISECONDS);
          assertThat(never).isFalse();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }
}
