package dev.tocsin.runtime;

import io.grpc.netty.shaded.io.netty.util.internal.PlatformDependent;
import java.time.Duration;
import java.util.Map;

/**
 * What a server lets connections do. Whatever a peer does or leaves undone, what it holds here is
 * bounded by this, and comes back. Immutable.
 *
 * @param connectionsMax open at once; one more is closed as soon as it is accepted. Never more than
 *     three quarters of the files that the process may open: the log needs some too
 * @param addressConnectionsMax of those, from one address; of IPv6, from one /64
 * @param handshakeTimeout from a connection's start until TLS, if any, and the first frame of
 *     HTTP/2 are through; then it is closed
 * @param idleMax without a call; then it is told to go (GOAWAY). Zero: for ever
 * @param ageMax since its start, a tenth more or less by chance; then it is told to go. Zero: as
 *     old as it wants
 * @param ageGrace for the calls of a connection that is too old; then they end with UNAVAILABLE
 * @param keepaliveTime in which nothing came from the peer, until it is asked by a PING
 * @param keepaliveTimeout for its answer; then it is taken for dead. Also dead is who takes nothing
 *     of what is sent to it for both times together
 * @param partialBytesMax of all requests that have not arrived whole; see {@link PartialMessages}
 */
public record ConnectionLimits(
    int connectionsMax,
    int addressConnectionsMax,
    Duration handshakeTimeout,
    Duration idleMax,
    Duration ageMax,
    Duration ageGrace,
    Duration keepaliveTime,
    Duration keepaliveTimeout,
    int partialBytesMax) {
  private static final int CONNECTIONS_LIMIT = 1_000_000;
  private static final int CONNECTIONS = 10_000;
  private static final int PUBLIC_ADDRESS_CONNECTIONS = 1_000;
  private static final Duration PUBLIC_IDLE = Duration.ofMinutes(15);
  private static final Duration SECOND = Duration.ofSeconds(1);

  /** What grpc-java makes of anything shorter. */
  private static final Duration KEEPALIVE_TIME_MIN = Duration.ofSeconds(10);

  private static final Duration YEAR = Duration.ofDays(365);

  /** The defaults of a port that callers share. */
  static ConnectionLimits defaults() {
    return read(Settings.of(Map.of()), "x");
  }

  /**
   * The settings {@code NAME.connections-max} (10,000), {@code .address-connections-max} (1,000),
   * {@code .handshake-timeout} (10s), {@code .connection-idle-max} (15m), {@code
   * .connection-age-max} (0s, none), {@code .connection-age-grace} (10m), {@code .keepalive-time}
   * (20s), {@code .keepalive-timeout} (10s) and {@code .partial-bytes-max} (half of what may lie
   * outside the heap; unless the JVM is told otherwise that is as much as may lie in it).
   */
  static ConnectionLimits read(Settings settings, String name) {
    return read(settings, name, PUBLIC_ADDRESS_CONNECTIONS, PUBLIC_IDLE);
  }

  /**
   * The same for a port that only our own servers call: of one address there may be as many as of
   * all, and none is told to go because nobody asks anything.
   */
  static ConnectionLimits readInternal(Settings settings, String name) {
    return read(settings, name, CONNECTIONS_LIMIT, Duration.ZERO);
  }

  private static ConnectionLimits read(
      Settings settings, String name, int addressConnections, Duration idle) {
    return new ConnectionLimits(
        settings.integer(name + ".connections-max", CONNECTIONS, 1, CONNECTIONS_LIMIT),
        settings.integer(
            name + ".address-connections-max", addressConnections, 1, CONNECTIONS_LIMIT),
        settings.duration(
            name + ".handshake-timeout",
            Duration.ofSeconds(10),
            Duration.ofMillis(100),
            Duration.ofMinutes(2)),
        settings.duration(name + ".connection-idle-max", idle, Duration.ZERO, YEAR),
        settings.duration(name + ".connection-age-max", Duration.ZERO, Duration.ZERO, YEAR),
        settings.duration(
            name + ".connection-age-grace", Duration.ofMinutes(10), Duration.ZERO, YEAR),
        settings.duration(
            name + ".keepalive-time",
            Duration.ofSeconds(20),
            KEEPALIVE_TIME_MIN,
            Duration.ofHours(2)),
        settings.duration(
            name + ".keepalive-timeout", Duration.ofSeconds(10), SECOND, Duration.ofMinutes(5)),
        settings.integer(name + ".partial-bytes-max", partialBytes(), 1 << 20, Integer.MAX_VALUE));
  }

  private static int partialBytes() {
    return (int) Math.min(Integer.MAX_VALUE, PlatformDependent.maxDirectMemory() / 2);
  }
}
