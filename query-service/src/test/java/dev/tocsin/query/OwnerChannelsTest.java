package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.inprocess.InProcessChannelBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OwnerChannelsTest {
  private final List<String> opened = new ArrayList<>();
  private final OwnerChannels channels =
      new OwnerChannels(
          address -> {
            opened.add(address);
            return InProcessChannelBuilder.forName(address).build();
          });

  @AfterEach
  void close() {
    channels.close();
  }

  @Test
  void channel_isOpenedOnceAndOnlyToAnOwner() {
    channels.retain(Set.of("a", "b"));
    assertThat(channels.to("a")).isPresent().isEqualTo(channels.to("a"));
    assertThat(channels.to("stranger")).isEmpty();
    assertThat(opened).containsExactly("a");
    assertThat(channels.size()).isEqualTo(1);
  }

  @Test
  void channel_isClosedWhenItsAddressLeaves() {
    channels.retain(Set.of("a", "b"));
    ManagedChannel a = channels.to("a").orElseThrow();
    ManagedChannel b = channels.to("b").orElseThrow();
    channels.retain(Set.of("b", "c"));
    assertThat(a.isShutdown()).isTrue();
    assertThat(b.isShutdown()).isFalse();
    assertThat(channels.to("a")).isEmpty();
    assertThat(channels.to("b")).contains(b);
  }

  @Test
  void reconnect_goesToEveryChannel() {
    channels.retain(Set.of("a", "b"));
    assertThat(channels.to("a")).isPresent();
    channels.reconnect();
    assertThat(opened).containsExactly("a");
  }

  @Test
  void close_closesAllAndOpensNoMore() {
    channels.retain(Set.of("a"));
    ManagedChannel a = channels.to("a").orElseThrow();
    channels.close();
    assertThat(a.isShutdown()).isTrue();
    assertThat(channels.to("a")).isEmpty();
    assertThat(channels.size()).isZero();
  }

  @Test
  void channel_thatCannotBeMadeIsNone() {
    Function<String, ManagedChannel> fails =
        address -> {
          throw new IllegalArgumentException(address);
        };
    try (OwnerChannels none = new OwnerChannels(fails)) {
      none.retain(Set.of("a"));
      assertThat(none.to("a")).isEmpty();
    }
  }
}
