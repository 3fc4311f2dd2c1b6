package dev.tocsin.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Carries bytes to a port and back, until it is broken. */
final class BreakableLink implements AutoCloseable {
  private final ServerSocket listening;
  private final int port;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();

  BreakableLink(int port) throws IOException {
    this.port = port;
    this.listening = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    thread(this::accept);
  }

  String target() {
    return "127.0.0.1:" + listening.getLocalPort();
  }

  /** Closes every connection, as the death of a process does, and refuses new ones. */
  void cut() {
    close(listening);
    sockets.forEach(BreakableLink::close);
  }

  @Override
  public void close() {
    cut();
  }

  private void accept() throws IOException {
    while (true) {
      Socket near = listening.accept();
      Socket far = new Socket(InetAddress.getLoopbackAddress(), port);
      sockets.add(near);
      sockets.add(far);
      thread(() -> copy(near.getInputStream(), far.getOutputStream()));
      thread(() -> copy(far.getInputStream(), near.getOutputStream()));
    }
  }

  private static void copy(InputStream from, OutputStream to) throws IOException {
    from.transferTo(to);
  }

  private static void close(AutoCloseable socket) {
    try {
      socket.close();
    } catch (Exception e) {
      // it is closed
    }
  }

  private interface Step {
    void run() throws IOException;
  }

  private static void thread(Step step) {
    Thread thread =
        new Thread(
            () -> {
              try {
                step.run();
              } catch (IOException e) {
                // cut
              }
            });
    thread.setDaemon(true);
    thread.start();
  }
}
