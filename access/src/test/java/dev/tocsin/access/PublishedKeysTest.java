package dev.tocsin.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import com.sun.net.httpserver.HttpServer;
import dev.tocsin.runtime.Health;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PublishedKeysTest {
  private static final RSAKey ONE = Tokens.KEY;
  private static final RSAKey TWO = Tokens.key("two");

  private final MovingClock clock = new MovingClock(Tokens.NOW);
  private final Health health = new Health();
  private final AtomicInteger fetches = new AtomicInteger();
  private volatile String published = new JWKSet(ONE).toString();
  private volatile int status = 200;
  private HttpServer issuer;
  private PublishedKeys keys;

  @BeforeEach
  void publish() throws IOException {
    issuer = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    issuer.createContext(
        "/",
        exchange -> {
          fetches.incrementAndGet();
          byte[] body = published.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(status, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    issuer.start();
  }

  @AfterEach
  void close() {
    keys.close();
    issuer.stop(0);
  }

  @Test
  void keys_areFetchedAtTheStart() {
    open();
    await().until(health::serving);

    assertThat(keys.select(header("one"))).containsExactly(publicKey(ONE));
    assertThat(fetches).hasValue(1);
  }

  @Test
  void unknownName_isNotKnownYet_thenSurelyUnknown_andFetchesOnceInHalfAMinute() {
    open();
    await().until(health::serving);
    for (int i = 0; i < 1_000; i++) {
      assertNotYet("flood " + i % 10);
    }
    assertThat(keys.select(header("one"))).isNotEmpty();
    assertThat(fetches).hasValue(1);

    clock.to(Tokens.NOW.plus(PublishedKeys.FETCH_INTERVAL));
    assertNotYet("another");
    await().until(() -> fetches.get() == 2);
    await().untilAsserted(() -> assertThat(keys.select(header("flood 1"))).isEmpty());
    for (int i = 0; i < 1_000; i++) {
      assertThat(keys.select(header("flood " + i % 10))).isEmpty();
    }
    assertThat(fetches).hasValue(2);
  }

  @Test
  void keyThatWasPublishedSince_isFound() {
    open();
    await().until(health::serving);
    published = new JWKSet(java.util.List.of(ONE, TWO)).toString();
    assertNotYet("two");
    clock.to(Tokens.NOW.plus(PublishedKeys.FETCH_INTERVAL).plusSeconds(1));
    assertNotYet("three"); // has them fetched

    await()
        .ignoreException(TokenKeys.NotYetException.class)
        .untilAsserted(
            () -> assertThat(keys.select(header("two"))).containsExactly(publicKey(TWO)));
  }

  @Test
  void issuerThatIsAway_leavesTheLastKeysInForce() {
    open();
    await().until(health::serving);
    status = 500;
    clock.to(Tokens.NOW.plus(PublishedKeys.FETCH_INTERVAL));
    assertNotYet("two");
    await().until(() -> fetches.get() == 2);

    assertThat(keys.select(header("one"))).isNotEmpty();
    assertNotYet("two");
    assertThat(health.serving()).isTrue();
  }

  @Test
  void issuerThatWasNeverThere_isAnUnmetCondition() {
    published = "{\"keys\": nonsense";
    open();
    await().until(() -> fetches.get() == 1);

    assertNotYet("one");
    assertThat(health.problems()).containsKey(PublishedKeys.CONDITION);
  }

  @Test
  void firstFetchThatFails_isTriedAgainUnasked() {
    status = 500;
    open(Duration.ofMillis(100), Clock.systemUTC());
    await().until(() -> fetches.get() > 1);
    assertThat(health.serving()).isFalse();
    status = 200;

    await().until(health::serving);
  }

  @Test
  void keyThatOneFetchDidNotBring_isLookedForAgain() {
    open(Duration.ofMillis(100), Clock.systemUTC());
    await().until(health::serving);
    await().ignoreException(TokenKeys.NotYetException.class).until(() -> select("two").isEmpty());
    published = new JWKSet(java.util.List.of(ONE, TWO)).toString();

    await()
        .ignoreException(TokenKeys.NotYetException.class)
        .untilAsserted(() -> assertThat(select("two")).containsExactly(publicKey(TWO)));
  }

  @Test
  void clockThatIsPutBack_holdsUpNoFetch() {
    open();
    await().until(health::serving);
    clock.to(Tokens.NOW.minus(Duration.ofHours(1)));
    assertThat(select("two")).isEmpty(); // which has them fetched

    await().until(() -> fetches.get() == 2);
  }

  private java.util.List<java.security.Key> select(String name) {
    return keys.select(header(name));
  }

  private void open() {
    open(PublishedKeys.FETCH_INTERVAL, clock);
  }

  private void open(Duration interval, Clock by) {
    try {
      keys =
          new PublishedKeys(
              URI.create("http://127.0.0.1:" + issuer.getAddress().getPort() + "/keys").toURL(),
              new DefaultResourceRetriever(1_000, 1_000, 10_000),
              Duration.ofHours(1),
              interval,
              health,
              by);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private void assertNotYet(String name) {
    assertThatThrownBy(() -> keys.select(header(name)))
        .isInstanceOfSatisfying(
            TokenKeys.NotYetException.class,
            e ->
                assertThat(e.retryAfter())
                    .isBetween(Duration.ofSeconds(1), Duration.ofSeconds(31)));
  }

  private static JWSHeader header(String name) {
    return new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(name).build();
  }

  private static java.security.Key publicKey(RSAKey key) {
    try {
      return key.toPublicKey();
    } catch (com.nimbusds.jose.JOSEException e) {
      throw new IllegalStateException(e);
    }
  }
}
