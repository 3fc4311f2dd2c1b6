package dev.tocsin.runtime;

import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelInboundHandlerAdapter;
import io.grpc.netty.shaded.io.netty.channel.ChannelOutboundBuffer;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Closes a connection whose peer takes nothing of what is sent to it. By itself grpc-java, once it
 * has taken a peer for dead, still waits until its last frames are written: for ever, if the peer's
 * kernel lives and its buffers are full, or if calls were open, whose last frames it does not
 * flush.
 *
 * <p>On the connection's own thread. Costs nothing while data flows: it looks a few times in the
 * bound whether the first thing in line has moved.
 */
final class StuckPeer extends ChannelInboundHandlerAdapter {
  private static final int LOOKS = 6;

  private final long stuckMaxNanos;
  private Future<?> looks;
  private Object first;
  private long firstProgress;
  private long movedNanos;

  StuckPeer(Duration stuckMax) {
    this.stuckMaxNanos = stuckMax.toNanos();
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) throws Exception {
    movedNanos = System.nanoTime();
    long every = stuckMaxNanos / LOOKS;
    looks =
        ctx.executor().scheduleWithFixedDelay(() -> look(ctx), every, every, TimeUnit.NANOSECONDS);
    super.channelActive(ctx);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) throws Exception {
    if (looks != null) {
      looks.cancel(false);
    }
    super.channelInactive(ctx);
  }

  private void look(ChannelHandlerContext ctx) {
    ChannelOutboundBuffer line = ctx.channel().unsafe().outboundBuffer();
    if (line == null) {
      return; // it is being closed
    }
    Object now = line.current();
    if (now == null && line.totalPendingWriteBytes() > 0) {
      ctx.flush();
    }
    if (now == null || now != first || line.currentProgress() != firstProgress) {
      first = now;
      firstProgress = line.currentProgress();
      movedNanos = System.nanoTime();
    } else if (System.nanoTime() - movedNanos >= stuckMaxNanos) {
      // From here straight to the socket: nothing waits for what is in line.
      var unused = ctx.close();
    }
  }
}
