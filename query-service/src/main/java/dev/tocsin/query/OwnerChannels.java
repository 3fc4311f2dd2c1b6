package dev.tocsin.query;

import io.grpc.ManagedChannel;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One channel for each owner and standby of the present assignment, opened when it is first needed
 * and closed when its address leaves; so there are never more than instances. Thread-safe.
 */
final class OwnerChannels implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OwnerChannels.class);

  private final Function<String, ManagedChannel> open;
  private final ConcurrentHashMap<String, ManagedChannel> channels = new ConcurrentHashMap<>();
  private Set<String> wanted = Set.of();

  OwnerChannels(Function<String, ManagedChannel> open) {
    this.open = open;
  }

  /** The channel to {@code address}; empty if that is no owner's any more or cannot be used. */
  Optional<ManagedChannel> to(String address) {
    ManagedChannel channel = channels.get(address);
    return channel != null ? Optional.of(channel) : open(address);
  }

  private synchronized Optional<ManagedChannel> open(String address) {
    if (!wanted.contains(address)) {
      return Optional.empty();
    }
    try {
      return Optional.of(channels.computeIfAbsent(address, open));
    } catch (RuntimeException e) {
      LOG.warn("no channel can be made to the owner at '{}': {}", address, e.toString());
      return Optional.empty();
    }
  }

  /**
   * Makes {@code addresses} the only ones there are channels to. Calls under way on the others may
   * still end.
   */
  synchronized void retain(Set<String> addresses) {
    wanted = Set.copyOf(addresses);
    channels
        .entrySet()
        .removeIf(
            entry -> {
              boolean left = !wanted.contains(entry.getKey());
              if (left) {
                entry.getValue().shutdown();
              }
              return left;
            });
  }

  /** Has channels whose other end was away try it again now. */
  void reconnect() {
    channels.values().forEach(ManagedChannel::resetConnectBackoff);
  }

  int size() {
    return channels.size();
  }

  /** Closes all; calls under way end with an error. */
  @Override
  public synchronized void close() {
    wanted = Set.of();
    channels.values().forEach(ManagedChannel::shutdownNow);
    channels.clear();
  }
}
