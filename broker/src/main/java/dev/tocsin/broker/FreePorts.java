package dev.tocsin.broker;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Random;

/**
 * Ports that nobody listens on. They are taken from below the range out of which operating systems
 * serve outgoing connections (from 32768 on Linux, 49152 elsewhere), so that between choosing one
 * and listening on it only another chooser of this kind could come first.
 */
public final class FreePorts {
  private static final int LOWEST = 20_000;
  private static final int COUNT = 12_000;
  private static final int TRIES_MAX = 200;

  private static final byte[] LOOPBACK = {127, 0, 0, 1};

  private FreePorts() {}

  /**
   * A free port other than {@code not}.
   *
   * @throws IOException if none is found in a bounded number of tries
   */
  public static int choose(int not) throws IOException {
    Random random = new Random();
    for (int i = 0; i < TRIES_MAX; i++) {
      int port = LOWEST + random.nextInt(COUNT);
      if (port != not && free(port)) {
        return port;
      }
    }
    throw new IOException("no free port found in " + TRIES_MAX + " tries");
  }

  /** Whether {@code port} can be listened on now. */
  static boolean free(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true); // as Kafka does: a port in TIME_WAIT is free
      socket.bind(new InetSocketAddress(InetAddress.getByAddress(LOOPBACK), port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
