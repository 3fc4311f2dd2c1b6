package dev.tocsin.runtime;

import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelInboundHandlerAdapter;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands where a listener hands on what it has accepted, which grpc-java itself does not bound: a
 * connection over the bound is closed at once, its descriptor returned, and its client sees a
 * connection that is reset. It does not wait in the kernel's queue, so the client can try another
 * server. Where accepting itself fails, mostly for want of descriptors, the listener rests a
 * second.
 *
 * <p>Events come on the listener's thread; closings on any.
 */
final class ConnectionBound extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(ConnectionBound.class);
  private static final Duration REST = Duration.ofSeconds(1);
  private static final int IPV6_NETWORK_BYTES = 8;

  /** Why a connection was not taken. */
  enum Refusal {
    /** There are as many as there may be. */
    TOO_MANY,
    /** There are as many as there may be from its address. */
    TOO_MANY_OF_ADDRESS,
    /** It could not be accepted: the process has no descriptor left, or the like. */
    NOT_ACCEPTED
  }

  private final int connectionsMax;
  private final int addressConnectionsMax;
  private final AtomicInteger open = new AtomicInteger();
  private final Map<ByteBuffer, Integer> openByAddress = new ConcurrentHashMap<>();
  private final Map<Refusal, Counter> refused = new EnumMap<>(Refusal.class);
  private final SeldomLine line = new SeldomLine();

  ConnectionBound(int connectionsMax, int addressConnectionsMax, MeterRegistry meters) {
    this.connectionsMax = connectionsMax;
    this.addressConnectionsMax = addressConnectionsMax;
    Gauge.builder("grpc.connections", open, AtomicInteger::get)
        .description("Connections that are open")
        .register(meters);
    for (Refusal reason : Refusal.values()) {
      refused.put(
          reason,
          Counter.builder("grpc.connections.refused")
              .description("Connections that were not taken, by reason")
              .tag("reason", reason.name())
              .register(meters));
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object accepted) {
    Channel connection = (Channel) accepted;
    InetSocketAddress from = (InetSocketAddress) connection.remoteAddress();
    if (open.get() >= connectionsMax) {
      refuse(connection, from, Refusal.TOO_MANY);
      return;
    }
    // A peer that has already gone has no address any more.
    ByteBuffer address = from == null ? ByteBuffer.allocate(0) : address(from.getAddress());
    if (openByAddress.getOrDefault(address, 0) >= addressConnectionsMax) {
      refuse(connection, from, Refusal.TOO_MANY_OF_ADDRESS);
      return;
    }
    open.incrementAndGet();
    openByAddress.merge(address, 1, Integer::sum);
    var unused = connection.closeFuture().addListener(closed -> closed(address));
    ctx.fireChannelRead(connection);
  }

  private void closed(ByteBuffer address) {
    open.decrementAndGet();
    openByAddress.computeIfPresent(address, (a, count) -> count == 1 ? null : count - 1);
  }

  /** One customer of a network has a whole /64 of IPv6. */
  private static ByteBuffer address(InetAddress from) {
    ByteBuffer bytes = ByteBuffer.wrap(from.getAddress());
    return from instanceof Inet6Address ? bytes.limit(IPV6_NETWORK_BYTES) : bytes;
  }

  private void refuse(Channel connection, InetSocketAddress from, Refusal reason) {
    // Reset, so that nothing of it stays in the kernel either.
    connection.config().setOption(ChannelOption.SO_LINGER, 0);
    connection.unsafe().closeForcibly();
    told(reason, from == null ? "a peer that has gone" : from.getAddress().getHostAddress());
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    told(Refusal.NOT_ACCEPTED, cause.toString());
    if (ctx.channel().config().isAutoRead()) {
      ctx.channel().config().setAutoRead(false);
      var unused =
          ctx.executor()
              .schedule(
                  () -> ctx.channel().config().setAutoRead(true),
                  REST.toMillis(),
                  TimeUnit.MILLISECONDS);
    }
  }

  private void told(Refusal reason, String what) {
    refused.get(reason).increment();
    if (line.isDue()) {
      LOG.warn(
          "a connection is not taken: {}: {} ({} are open); left out since the last such line: {}",
          reason,
          what,
          open.get(),
          line.leftOut());
    }
  }
}
