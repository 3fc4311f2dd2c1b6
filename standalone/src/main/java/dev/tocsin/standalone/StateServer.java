package dev.tocsin.standalone;

import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import java.io.IOException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The processor's state server within the process: the query service calls it as it would over a
 * network, and messages are handed over as they are.
 */
final class StateServer implements AutoCloseable {
  private static final long CLOSE_MAX_MS = 1_000;

  /** Room for every read that the query service lets be under way at once, and to spare. */
  private static final int CALL_QUEUE_MAX = 65_536;

  private final String name = InProcessServerBuilder.generateName();
  private final ThreadPoolExecutor calls;
  private Server server;

  StateServer(int threads) {
    calls =
        new ThreadPoolExecutor(
            threads,
            threads,
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(CALL_QUEUE_MAX),
            task -> {
              Thread thread = new Thread(task, "state-call");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Answers from now on. */
  StateServer start(BindableService service) throws IOException {
    server = InProcessServerBuilder.forName(name).executor(calls).addService(service).build();
    server.start();
    return this;
  }

  /** A channel to it, whatever the address; it may be opened before there is a server. */
  ManagedChannel channel(String address) {
    return InProcessChannelBuilder.forName(name).directExecutor().build();
  }

  /** Ends what is under way. */
  @Override
  public void close() throws InterruptedException {
    if (server != null) {
      server.shutdownNow().awaitTermination(CLOSE_MAX_MS, TimeUnit.MILLISECONDS);
    }
    calls.shutdownNow();
  }
}
