package dev.tocsin.runtime;

import com.sun.management.UnixOperatingSystemMXBean;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelInboundHandlerAdapter;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.ServerChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.Epoll;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioServerSocketChannel;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import io.micrometer.core.instrument.MeterRegistry;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a server listens, and what holds its connections to their limits: threads of its own, and in
 * front of grpc-java a bound of what is accepted, which can be put only into a listener that is not
 * grpc-java's default. One for each start of a server.
 */
final class Connections implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Connections.class);

  /** Of the process's descriptors, in quarters: the others are for the log, its files and tools. */
  private static final int DESCRIPTOR_QUARTERS = 3;

  /** A PING more often than this, twice, and the connection ends: ENHANCE_YOUR_CALM. */
  private static final Duration PINGS_APART_MIN = Duration.ofSeconds(5);

  /** For answers that come late; what is still open then is closed. */
  private static final Duration THREADS_QUIET = Duration.ofSeconds(1);

  private static final Duration THREADS_END_MAX = Duration.ofSeconds(5);

  private final ConnectionLimits limits;
  private final ConnectionBound bound;
  private final EventLoopGroup listening = threads(1, "grpc-listen");
  private final EventLoopGroup serving =
      threads(Runtime.getRuntime().availableProcessors(), "grpc-transport");

  Connections(ConnectionLimits limits, MeterRegistry meters) {
    this.limits = limits;
    this.bound =
        new ConnectionBound(
            connectionsMax(limits.connectionsMax(), descriptorsMax()),
            limits.addressConnectionsMax(),
            meters);
  }

  /** What the process can bear, where that is less than it was told. */
  static int connectionsMax(int told, long descriptorsMax) {
    int max = (int) Math.min(told, Math.max(1, descriptorsMax * DESCRIPTOR_QUARTERS / 4));
    if (max < told) {
      LOG.info("at most {} connections: the process may open {} files", max, descriptorsMax);
    }
    return max;
  }

  private static long descriptorsMax() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
        ? unix.getMaxFileDescriptorCount()
        : Integer.MAX_VALUE;
  }

  void limit(NettyServerBuilder builder) {
    builder
        .channelFactory(this::listener)
        .bossEventLoopGroup(listening)
        .workerEventLoopGroup(serving)
        .handshakeTimeout(limits.handshakeTimeout().toMillis(), TimeUnit.MILLISECONDS)
        .permitKeepAliveTime(PINGS_APART_MIN.toSeconds(), TimeUnit.SECONDS)
        .permitKeepAliveWithoutCalls(true)
        .keepAliveTime(limits.keepaliveTime().toMillis(), TimeUnit.MILLISECONDS)
        .keepAliveTimeout(limits.keepaliveTimeout().toMillis(), TimeUnit.MILLISECONDS);
    if (!limits.idleMax().isZero()) {
      builder.maxConnectionIdle(limits.idleMax().toMillis(), TimeUnit.MILLISECONDS);
    }
    if (!limits.ageMax().isZero()) {
      builder
          .maxConnectionAge(limits.ageMax().toMillis(), TimeUnit.MILLISECONDS)
          .maxConnectionAgeGrace(limits.ageGrace().toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private ServerChannel listener() {
    ServerChannel listener =
        Epoll.isAvailable() ? new EpollServerSocketChannel() : new NioServerSocketChannel();
    listener.pipeline().addLast(bound).addLast(new StuckPeers());
    return listener;
  }

  /** Gives each connection its watch, the nearest to the socket. */
  private final class StuckPeers extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object accepted) {
      Duration stuckMax = limits.keepaliveTime().plus(limits.keepaliveTimeout());
      ((Channel) accepted).pipeline().addLast(new StuckPeer(stuckMax));
      ctx.fireChannelRead(accepted);
    }
  }

  private static EventLoopGroup threads(int count, String name) {
    return new MultiThreadIoEventLoopGroup(
        count,
        new DefaultThreadFactory(name, true),
        Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
  }

  /** Lets what is under way end, for seconds; does not wait for it. */
  @Override
  public void close() {
    end(listening);
    end(serving);
  }

  private static void end(EventLoopGroup threads) {
    var unused =
        threads.shutdownGracefully(
            THREADS_QUIET.toMillis(), THREADS_END_MAX.toMillis(), TimeUnit.MILLISECONDS);
  }
}
