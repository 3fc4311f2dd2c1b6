package dev.tocsin.processor;

import java.util.Map;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.internals.CacheFlushListener;
import org.apache.kafka.streams.state.internals.CachedStateStore;

/**
 * A store that holds nothing: it is how a task learns that Kafka Streams is about to commit, while
 * what it writes still belongs to the transaction. Streams' own caching stores learn it in the same
 * way, by the internal interface {@link CachedStateStore}; no public one comes early enough ({@code
 * StateStore.commit} follows the transaction). A test holds that this stays so.
 */
final class CommitHook implements StateStore, CachedStateStore<byte[], byte[]> {
  private final String name;
  private Runnable beforeCommit = () -> {};
  private boolean open;

  private CommitHook(String name) {
    this.name = name;
  }

  static StoreBuilder<CommitHook> builder(String name) {
    return new Builder(name);
  }

  /** Calls {@code step} before each commit of this task, on its thread. */
  void beforeCommit(Runnable step) {
    beforeCommit = step;
  }

  @Override
  public void flushCache() {
    beforeCommit.run();
  }

  @Override
  public void clearCache() {
    beforeCommit = () -> {};
  }

  @Override
  public boolean setFlushListener(
      CacheFlushListener<byte[], byte[]> listener, boolean sendOldValues) {
    return false;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void init(StateStoreContext context, StateStore root) {
    context.register(root, (key, value) -> {});
    open = true;
  }

  @Override
  public void close() {
    open = false;
  }

  @Override
  public boolean persistent() {
    return false;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  private record Builder(String name) implements StoreBuilder<CommitHook> {
    @Override
    public CommitHook build() {
      return new CommitHook(name);
    }

    @Override
    public StoreBuilder<CommitHook> withCachingEnabled() {
      throw new UnsupportedOperationException("it holds nothing");
    }

    @Override
    public StoreBuilder<CommitHook> withCachingDisabled() {
      return this;
    }

    @Override
    public StoreBuilder<CommitHook> withLoggingEnabled(Map<String, String> config) {
      throw new UnsupportedOperationException("it holds nothing");
    }

    @Override
    public StoreBuilder<CommitHook> withLoggingDisabled() {
      return this;
    }

    @Override
    public Map<String, String> logConfig() {
      return Map.of();
    }

    @Override
    public boolean loggingEnabled() {
      return false;
    }
  }
}
