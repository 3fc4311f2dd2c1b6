package dev.tocsin.runtime;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a server opened, to be closed in reverse: each part registers its own clean-up as soon as it
 * is open, so that a start that fails half-way closes exactly what had been opened.
 *
 * <p>Thread-safe. Closing twice does nothing the second time; what is added after closing, as a
 * start may while another thread stops the server, is closed at once.
 */
public final class Lifetime implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Lifetime.class);

  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private boolean closed;

  /**
   * Takes over the closing of {@code part} and gives it back.
   *
   * @throws IllegalStateException if all was closed already; then {@code part} is too
   */
  public synchronized <T extends AutoCloseable> T add(T part) {
    if (closed) {
      close(part);
      throw new IllegalStateException("already closed");
    }
    opened.push(part);
    return part;
  }

  /**
   * Closes everything, the last opened first. A part that fails to close is logged and does not
   * keep the others open.
   */
  @Override
  public synchronized void close() {
    closed = true;
    while (!opened.isEmpty()) {
      close(opened.pop());
    }
  }

  private static void close(AutoCloseable part) {
    try {
      part.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception e) {
      LOG.warn("closing {} failed", part.getClass().getSimpleName(), e);
    }
  }
}
