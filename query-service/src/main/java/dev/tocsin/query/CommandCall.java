package dev.tocsin.query;

import com.google.protobuf.ByteString;
import dev.tocsin.proto.state.ReadOutcomeRequest;
import dev.tocsin.proto.state.ReadOutcomeResponse;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;

/**
 * One command under way: it is appended to the log; then the owner of its partition, once it has
 * applied it, is asked for its outcome; and its time may be up before. It ends once, in any thread,
 * and none waits. Thread-safe.
 */
final class CommandCall implements CommandLog.Answer, OwnerCalls.Answer<ReadOutcomeResponse> {
  private final CommandEntry entry;
  private final int partition;
  private final CallTime time;
  private final CommandLog log;
  private final OwnerCalls owners;
  private final ScheduledExecutorService timer;
  private final Consumer<CommandEnd> end;
  private final Context context = Context.current();
  private CommandLog.Entry appending;
  private Future<?> timeUp = CompletableFuture.completedFuture(null);
  private boolean logAnswered;

  /**
   * A call that is yet to be started, in the context of whoever calls.
   *
   * @param end told how it ended
   */
  CommandCall(
      CommandEntry entry,
      int partition,
      CallTime time,
      CommandLog log,
      OwnerCalls owners,
      ScheduledExecutorService timer,
      Consumer<CommandEnd> end) {
    this.entry = entry;
    this.partition = partition;
    this.time = time;
    this.log = log;
    this.owners = owners;
    this.timer = timer;
    this.end = end;
  }

  /** Puts the command in line for the log. Returns at once. */
  synchronized void start() {
    appending = log.append(partition, entry.bytes(), this);
    if (!logAnswered) {
      try {
        timeUp = time.end().runOnExpiration(this::late, timer);
      } catch (RejectedExecutionException stopped) {
        late();
      }
    }
  }

  @Override
  public void appended(long offset) {
    if (logHasAnswered()) {
      context.run(() -> owners.outcome(question(offset), time, this));
    }
  }

  @Override
  public void notAppended(String why) {
    if (logHasAnswered()) {
      end.accept(CommandEnd.notAppended(entry, why));
    }
  }

  @Override
  public void unknown(String why) {
    if (logHasAnswered()) {
      end.accept(CommandEnd.logSilent(entry, why));
    }
  }

  @Override
  public void is(ReadOutcomeResponse response) {
    end.accept(CommandEnd.of(entry, response));
  }

  @Override
  public void failed(StatusRuntimeException error) {
    end.accept(CommandEnd.unread(entry, error));
  }

  private void late() {
    if (logHasAnswered()) {
      end.accept(
          appending.withdraw()
              ? CommandEnd.notAppended(entry, "the log was not reached in time")
              : CommandEnd.late(entry));
    }
  }

  /** Whether this is the first word on the appending; its time being up is one as well. */
  private synchronized boolean logHasAnswered() {
    if (logAnswered) {
      return false;
    }
    logAnswered = true;
    timeUp.cancel(false);
    return true;
  }

  private ReadOutcomeRequest question(long offset) {
    return ReadOutcomeRequest.newBuilder()
        .setPartition(partition)
        .setWorkspace(entry.command().getWorkspace())
        .setRequestId(entry.requestId())
        .setMinOffset(offset)
        .setContent(ByteString.copyFrom(entry.command().getContent().bytes()))
        .build();
  }
}
