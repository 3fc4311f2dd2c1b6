package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.netty.shaded.io.netty.channel.embedded.EmbeddedChannel;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** By addresses that no test's own connection could come from. */
final class ConnectionBoundTest {
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final EmbeddedChannel listener = new EmbeddedChannel(new ConnectionBound(10, 2, meters));

  @AfterEach
  void close() {
    listener.finishAndReleaseAll();
  }

  @Test
  void networkOfIpv6_isBoundedAsOneAddress() throws Exception {
    assertThat(taken(connection("2001:db8:0:1::1"))).isTrue();
    assertThat(taken(connection("2001:db8:0:1:ffff::2"))).isTrue();

    Connection third = connection("2001:db8:0:1:abcd::3");
    assertThat(taken(third)).isFalse();
    assertThat(third.isOpen()).isFalse();
    assertThat(taken(connection("2001:db8:0:2::1"))).as("another /64").isTrue();
    assertThat(meters.counter("grpc.connections.refused", "reason", "TOO_MANY_OF_ADDRESS").count())
        .isEqualTo(1);
  }

  @Test
  void addressesOfIpv4_areEachTheirOwn() throws Exception {
    for (String address : new String[] {"192.0.2.1", "192.0.2.1", "192.0.2.2"}) {
      assertThat(taken(connection(address))).isTrue();
    }
    assertThat(taken(connection("192.0.2.1"))).isFalse();
  }

  @Test
  void connectionThatEnds_makesRoomForOneOfItsAddress() throws Exception {
    Connection first = connection("2001:db8::1");
    assertThat(taken(first)).isTrue();
    assertThat(taken(connection("2001:db8::2"))).isTrue();
    assertThat(taken(connection("2001:db8::3"))).isFalse();

    assertThat(first.close().isDone()).isTrue();

    assertThat(taken(connection("2001:db8::4"))).isTrue();
    assertThat(meters.get("grpc.connections").gauge().value()).isEqualTo(2);
  }

  private boolean taken(Connection accepted) {
    return listener.writeInbound(accepted) && listener.readInbound() == accepted;
  }

  private static Connection connection(String address) throws UnknownHostException {
    return new Connection(new InetSocketAddress(InetAddress.getByName(address), 40_000));
  }

  /** From somewhere. */
  private static final class Connection extends EmbeddedChannel {
    private final InetSocketAddress from;

    Connection(InetSocketAddress from) {
      this.from = from;
    }

    @Override
    public SocketAddress remoteAddress() {
      return from;
    }
  }
}
