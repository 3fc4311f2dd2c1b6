package dev.tocsin.query;

import dev.tocsin.proto.state.IncidentStateGrpc;
import dev.tocsin.proto.state.Owners;
import dev.tocsin.proto.state.WatchOwnersRequest;
import dev.tocsin.runtime.Health;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows who owns what: follows one of the configured processors, whichever answers, and goes on to
 * the next when that one's stream ends or tells nothing. What was last told stays in use meanwhile.
 *
 * <p>{@link #current} is safe from any thread. All else happens on the given timer, one step at a
 * time.
 */
final class OwnerDirectory implements AutoCloseable {
  /** The health condition: every partition has an owner, and a processor is there to say so. */
  static final String CONDITION = "owners";

  private static final Logger LOG = LoggerFactory.getLogger(OwnerDirectory.class);
  private static final Duration BACKOFF_MIN = Duration.ofMillis(100);
  private static final Duration BACKOFF_MAX = Duration.ofSeconds(2);

  /** How long a processor may take to tell its first assignment before the next one is asked. */
  private static final Duration SILENCE_MAX = Duration.ofSeconds(3);

  private final List<String> processors;
  private final Function<String, ManagedChannel> open;
  private final ScheduledExecutorService timer;
  private final Consumer<Assignment> changed;
  private final Health health;
  private volatile Assignment current = Assignment.UNKNOWN;
  private int next;
  private int failures;
  private Watch watch;
  private Future<?> reconnect = CompletableFuture.completedFuture(null);
  private boolean closed;

  /**
   * A directory that is yet to be started.
   *
   * @param changed told of each assignment just before it becomes the current one
   * @param timer single-threaded; closed by its owner, after this
   */
  OwnerDirectory(
      List<String> processors,
      Function<String, ManagedChannel> open,
      ScheduledExecutorService timer,
      Consumer<Assignment> changed,
      Health health) {
    this.processors = processors;
    this.open = open;
    this.timer = timer;
    this.changed = changed;
    this.health = health;
  }

  /** Begins to follow. Returns at once. */
  void start() {
    health.require(CONDITION);
    soon(this::connect);
  }

  /** The newest assignment; {@link Assignment#UNKNOWN} until a processor has told one. */
  Assignment current() {
    return current;
  }

  @Override
  public void close() {
    soon(
        () -> {
          closed = true;
          reconnect.cancel(false);
          if (watch != null) {
            watch.end();
          }
        });
  }

  private void connect() {
    if (closed) {
      return;
    }
    String processor = processors.get(next);
    next = (next + 1) % processors.size();
    try {
      watch = new Watch(processor, open.apply(processor));
    } catch (RuntimeException e) {
      lost(processor, e.toString());
    }
  }

  private void lost(String processor, String why) {
    watch = null;
    if (closed) {
      return;
    }
    failures++;
    String problem = "processor " + processor + " does not tell who owns what: " + why;
    if (failures >= processors.size()) {
      health.unmet(CONDITION, problem);
    }
    Duration pause = backoff(failures);
    LOG.warn("{}; going on to the next in {} ms", problem, pause.toMillis());
    reconnect = later(pause, this::connect);
  }

  private void told(Owners owners) {
    Assignment told = Assignment.of(owners);
    if (!told.known()) {
      ignorant();
      return;
    }
    failures = 0;
    changed.accept(told);
    current = told;
    if (told.orphans().isEmpty()) {
      health.met(CONDITION);
    } else {
      health.unmet(CONDITION, "partitions without an owner: " + told.orphans());
    }
  }

  /** A processor that knows nothing itself yet: what was known before is better. */
  private void ignorant() {
    if (!current.known()) {
      health.unmet(CONDITION, "the processors do not know yet who owns what");
    }
  }

  /** Doubles with each failure in a row; a fifth more or less, so that not all come at once. */
  static Duration backoff(int failures) {
    long doubled = BACKOFF_MIN.toMillis() << Math.min(failures - 1, 16);
    long capped = Math.min(doubled, BACKOFF_MAX.toMillis());
    return Duration.ofMillis(capped * ThreadLocalRandom.current().nextLong(80, 121) / 100);
  }

  private Future<?> later(Duration pause, Runnable step) {
    try {
      return timer.schedule(logged(step), pause.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopped) {
      return CompletableFuture.completedFuture(null); // then there is nothing to follow any more
    }
  }

  private void soon(Runnable step) {
    try {
      timer.execute(logged(step));
    } catch (RejectedExecutionException stopped) {
      LOG.debug("the timer has stopped: there is nothing to follow any more");
    }
  }

  /** A timer keeps to itself what its steps throw. */
  private static Runnable logged(Runnable step) {
    return () -> {
      try {
        step.run();
      } catch (RuntimeException e) {
        LOG.error("following the owners failed", e);
      }
    };
  }

  /** One stream from one processor, over a channel of its own. */
  private final class Watch implements StreamObserver<Owners> {
    private final String processor;
    private final ManagedChannel channel;
    private final Context.CancellableContext context = Context.ROOT.withCancellation();
    private final Future<?> silence;
    private boolean heard;
    private boolean told;
    private boolean ended;

    Watch(String processor, ManagedChannel channel) {
      this.processor = processor;
      this.channel = channel;
      silence = later(SILENCE_MAX, this::silent);
      context.run(
          () ->
              IncidentStateGrpc.newStub(channel)
                  .watchOwners(WatchOwnersRequest.getDefaultInstance(), this));
    }

    @Override
    public void onNext(Owners owners) {
      soon(
          () -> {
            if (!ended) {
              heard = true;
              told |= owners.getPartitions() > 0;
              OwnerDirectory.this.told(owners);
            }
          });
    }

    @Override
    public void onError(Throwable t) {
      over(Status.fromThrowable(t).toString());
    }

    @Override
    public void onCompleted() {
      over("it ended the stream");
    }

    private void over(String why) {
      soon(
          () -> {
            if (!ended) {
              end();
              lost(processor, why);
            }
          });
    }

    private void silent() {
      // One that knows nothing yet is left for another only if there is another.
      boolean patient = heard && processors.size() == 1;
      if (!ended && !told && !patient) {
        end();
        lost(processor, "nothing for " + SILENCE_MAX.toMillis() + " ms");
      }
    }

    void end() {
      ended = true;
      silence.cancel(false);
      context.cancel(null);
      channel.shutdownNow();
    }
  }
}
