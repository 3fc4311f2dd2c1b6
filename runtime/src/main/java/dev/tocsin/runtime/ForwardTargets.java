package dev.tocsin.runtime;

import io.grpc.Attributes;
import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.Status;
import io.grpc.StatusOr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Gives a channel the addresses of several targets, each {@code HOST:PORT}. Names are looked up
 * again when a connection breaks and, as long as one of them has no address, every five seconds: a
 * name may come and go with the machine that bears it. At most one such look-up is pending, however
 * often others come in between.
 */
final class ForwardTargets extends NameResolverProvider {
  static final String SCHEME = "tocsin-forward";

  private static final Duration MISSING_RETRY = Duration.ofSeconds(5);

  private final List<InetSocketAddress> targets;

  ForwardTargets(List<InetSocketAddress> targets) {
    this.targets = targets;
  }

  @Override
  protected boolean isAvailable() {
    return true;
  }

  @Override
  protected int priority() {
    return 5;
  }

  @Override
  public String getDefaultScheme() {
    return SCHEME;
  }

  @Override
  public Collection<Class<? extends SocketAddress>> getProducedSocketAddressTypes() {
    return Set.of(InetSocketAddress.class);
  }

  @Override
  public NameResolver newNameResolver(URI uri, NameResolver.Args args) {
    return new Resolver(args.getOffloadExecutor(), args.getScheduledExecutorService());
  }

  /** What a target's certificate must be for, whichever address of it is called. */
  private static String authority(InetSocketAddress target) {
    String host = target.getHostString();
    boolean bare = host.indexOf(':') >= 0 && !host.startsWith("[");
    return (bare ? "[" + host + "]" : host) + ":" + target.getPort();
  }

  private final class Resolver extends NameResolver {
    private final Executor lookUps;
    private final ScheduledExecutorService timer;
    private Listener2 listener;
    private ScheduledFuture<?> retry;
    private boolean busy;
    private boolean closed;

    Resolver(Executor lookUps, ScheduledExecutorService timer) {
      this.lookUps = lookUps;
      this.timer = timer;
    }

    @Override
    public String getServiceAuthority() {
      return "query-service";
    }

    @Override
    public void start(Listener2 listener) {
      this.listener = listener;
      refresh();
    }

    @Override
    public synchronized void refresh() {
      if (!busy && !closed) {
        busy = true;
        lookUps.execute(this::lookUp);
      }
    }

    @Override
    public synchronized void shutdown() {
      closed = true;
      if (retry != null) {
        retry.cancel(false);
      }
    }

    private void lookUp() {
      List<EquivalentAddressGroup> found = new ArrayList<>();
      boolean missing = false;
      for (InetSocketAddress target : targets) {
        try {
          Attributes name =
              Attributes.newBuilder()
                  .set(EquivalentAddressGroup.ATTR_AUTHORITY_OVERRIDE, authority(target))
                  .build();
          for (InetAddress address : InetAddress.getAllByName(target.getHostString())) {
            found.add(
                new EquivalentAddressGroup(new InetSocketAddress(address, target.getPort()), name));
          }
        } catch (UnknownHostException e) {
          missing = true;
        }
      }
      tell(found, missing);
    }

    private synchronized void tell(List<EquivalentAddressGroup> found, boolean missing) {
      busy = false;
      if (closed) {
        return;
      }
      StatusOr<List<EquivalentAddressGroup>> addresses =
          found.isEmpty()
              ? StatusOr.fromStatus(Status.UNAVAILABLE.withDescription("no target has an address"))
              : StatusOr.fromValue(found);
      listener.onResult(ResolutionResult.newBuilder().setAddressesOrError(addresses).build());
      if (missing && retry == null) {
        retry = timer.schedule(this::lookAgain, MISSING_RETRY.toMillis(), TimeUnit.MILLISECONDS);
      }
    }

    private synchronized void lookAgain() {
      retry = null;
      refresh();
    }
  }
}
