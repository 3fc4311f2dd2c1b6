package dev.tocsin.chaos;

import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractBlockingStub;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/** The ways to the API of incidents, asked in turn until one answers. Thread-safe. */
final class Ways {
  /** Until then a call has its answer, whatever fault is on. */
  static final Duration ANSWERED_MAX = Duration.ofMinutes(2);

  static final Duration CALL_MAX = Duration.ofSeconds(6);
  private static final Duration PAUSE = Duration.ofMillis(100);

  private final List<ManagedChannel> channels;
  private final LoadCounts counts;
  private final AtomicInteger calls = new AtomicInteger();

  Ways(List<ManagedChannel> channels, LoadCounts counts) {
    this.channels = List.copyOf(channels);
    this.counts = counts;
  }

  /**
   * The answer, asked for again as long as a server or a connection is away.
   *
   * @param service its stub on a channel
   * @param call that has one effect at most, however often it is made
   * @throws StatusRuntimeException if it is refused for good, or the thread is interrupted
   * @throws NotHealedException if nobody answers in {@link #ANSWERED_MAX}
   */
  <S extends AbstractBlockingStub<S>, T> T answered(
      Function<Channel, S> service, Function<S, T> call) throws NotHealedException {
    long begunNanos = System.nanoTime();
    StatusRuntimeException last = null;
    while (System.nanoTime() - begunNanos < ANSWERED_MAX.toNanos()) {
      ManagedChannel way = channels.get(Math.floorMod(calls.incrementAndGet(), channels.size()));
      try {
        return call.apply(service.apply(way).withDeadlineAfter(CALL_MAX));
      } catch (StatusRuntimeException e) {
        if (!Answers.mayBeUnknown(e) || Thread.currentThread().isInterrupted()) {
          throw e;
        }
        last = e;
        counts.commandsAgain.incrementAndGet();
        way.resetConnectBackoff();
        LockSupport.parkNanos(PAUSE.toNanos());
      }
    }
    throw new NotHealedException("no answer in " + ANSWERED_MAX.toSeconds() + " s: " + last);
  }
}
