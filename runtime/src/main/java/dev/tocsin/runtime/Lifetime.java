package dev.tocsin.runtime;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a server opened, to be closed in reverse: each part registers its own clean-up as soon as it
 * is open, so that a start that fails half-way closes exactly what had been opened.
 *
 * <p>Thread-safe. Closing twice does nothing the second time.
 */
public final class Lifetime implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Lifetime.class);

  private final Deque<AutoCloseable> opened = new ArrayDeque<>();

  /** Takes over the closing of {@code part} and gives it back. */
  public synchronized <T extends AutoCloseable> T add(T part) {
    opened.push(part);
    return part;
  }

  /**
   * Closes everything, the last opened first. A part that fails to close is logged and does not
   * keep the others open.
   */
  @Override
  public synchronized void close() {
    while (!opened.isEmpty()) {
      AutoCloseable part = opened.pop();
      try {
        part.close();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (Exception e) {
        LOG.warn("closing {} failed", part.getClass().getSimpleName(), e);
      }
    }
  }
}
