package dev.tocsin.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Connections to a port of this machine by way of another, until they are all cut at once. */
final class CutCable implements AutoCloseable {
  private final ServerSocket listening;
  private final int to;
  private final Queue<AutoCloseable> ends = new ConcurrentLinkedQueue<>();

  CutCable(int to) throws IOException {
    this.to = to;
    this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    ends.add(listening);
    run(this::accept);
  }

  int port() {
    return listening.getLocalPort();
  }

  private void accept() throws IOException {
    while (true) {
      Socket near = listening.accept();
      Socket far = new Socket(InetAddress.getLoopbackAddress(), to);
      ends.add(near);
      ends.add(far);
      run(() -> pump(near, far));
      run(() -> pump(far, near));
    }
  }

  private static void pump(Socket from, Socket into) throws IOException {
    try (from;
        into) {
      InputStream in = from.getInputStream();
      in.transferTo(into.getOutputStream());
    }
  }

  private interface Step {
    void run() throws IOException;
  }

  private static void run(Step step) {
    Thread thread =
        new Thread(
            () -> {
              try {
                step.run();
              } catch (IOException cut) {
                // as it is meant to be
              }
            },
            "cable");
    thread.setDaemon(true);
    thread.start();
  }

  /** Cuts it. */
  @Override
  public void close() {
    for (AutoCloseable end : ends) {
      try {
        end.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
