package dev.tocsin.access;

import com.nimbusds.jose.JWSHeader;
import java.security.Key;
import java.time.Duration;
import java.util.List;

/** The keys with which tokens are verified. Thread-safe; never waits for anything. */
interface TokenKeys extends AutoCloseable {
  /** The key is not known yet, and may be soon. */
  final class NotYetException extends RuntimeException {
    private final transient Duration retryAfter;

    NotYetException(Duration retryAfter) {
      super("the key is not known yet", null, false, false);
      this.retryAfter = retryAfter;
    }

    /** When to ask again. */
    Duration retryAfter() {
      return retryAfter;
    }
  }

  /**
   * Keys that may have signed what has this header, which is not trusted; none if it is sure that
   * there is none.
   *
   * @throws NotYetException if that is not known at the moment
   */
  List<Key> select(JWSHeader header);

  @Override
  default void close() {}
}
