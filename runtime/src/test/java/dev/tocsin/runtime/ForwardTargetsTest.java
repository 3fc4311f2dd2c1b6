package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.NameResolver;
import io.grpc.NameResolver.ConfigOrError;
import io.grpc.SynchronizationContext;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RunnableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ForwardTargetsTest {
  private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
  private final AtomicInteger told = new AtomicInteger();

  @AfterEach
  void stop() {
    timer.shutdownNow();
  }

  @Test
  void lookUps_ofAMissingNameLeaveOneRetryPending() {
    InetSocketAddress missing = InetSocketAddress.createUnresolved("name.invalid", 1);
    NameResolver resolver = resolver(missing);
    resolver.start(listener());
    for (int i = 0; i < 20; i++) {
      resolver.refresh();
    }
    assertThat(told).hasValue(21);
    assertThat(pending()).hasSize(1);
    pending().get(0).run();
    assertThat(told).hasValue(22);
    assertThat(pending()).as("the next one").hasSize(1);
    resolver.shutdown();
    assertThat(pending()).isEmpty();
  }

  private List<RunnableFuture<?>> pending() {
    return timer.getQueue().stream()
        .<RunnableFuture<?>>map(task -> (RunnableFuture<?>) task)
        .filter(task -> !task.isDone())
        .toList();
  }

  @Test
  void lookUps_thatFindAllLeaveNone() {
    NameResolver resolver = resolver(InetSocketAddress.createUnresolved("127.0.0.1", 1));
    resolver.start(listener());
    assertThat(told).hasValue(1);
    assertThat(pending()).isEmpty();
    resolver.shutdown();
  }

  private NameResolver resolver(InetSocketAddress target) {
    return new ForwardTargets(List.of(target))
        .newNameResolver(
            URI.create(ForwardTargets.SCHEME + ":///targets"),
            NameResolver.Args.newBuilder()
                .setDefaultPort(1)
                .setProxyDetector(address -> null)
                .setSynchronizationContext(
                    new SynchronizationContext(
                        (thread, failure) -> {
                          throw new AssertionError(failure);
                        }))
                .setServiceConfigParser(new NoServiceConfig())
                .setScheduledExecutorService(timer)
                .setOffloadExecutor(Runnable::run)
                .build());
  }

  private NameResolver.Listener2 listener() {
    return new NameResolver.Listener2() {
      @Override
      public void onResult(NameResolver.ResolutionResult result) {
        told.incrementAndGet();
      }

      @Override
      public void onError(io.grpc.Status error) {
        throw new AssertionError(error);
      }
    };
  }

  private static final class NoServiceConfig extends NameResolver.ServiceConfigParser {
    @Override
    public ConfigOrError parseServiceConfig(Map<String, ?> config) {
      return ConfigOrError.fromConfig(config);
    }
  }
}
