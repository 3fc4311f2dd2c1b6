package dev.tocsin.ingest;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;

/** A client's side of a stream: keeps what comes, and reads on its own or when told to. */
final class Acks<Q, R> implements ClientResponseObserver<Q, R> {
  final List<R> received = new CopyOnWriteArrayList<>();
  private final boolean reads;
  volatile ClientCallStreamObserver<Q> call;
  volatile Status end;

  Acks(boolean reads) {
    this.reads = reads;
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<Q> started) {
    call = started;
    if (!reads) {
      started.disableAutoRequestWithInitial(0);
    }
  }

  @Override
  public void onNext(R ack) {
    received.add(ack);
  }

  @Override
  public void onError(Throwable error) {
    end = Status.fromThrowable(error);
  }

  @Override
  public void onCompleted() {
    end = Status.OK;
  }

  Acks<Q, R> awaitReceived(int count) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(10))
        .until(() -> received.size() >= count || end != null);
    return this;
  }

  Status awaitEnd() {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(10))
        .until(() -> end != null);
    return end;
  }
}
