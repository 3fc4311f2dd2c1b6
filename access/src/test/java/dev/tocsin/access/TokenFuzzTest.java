package dev.tocsin.access;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jose.util.Resource;
import com.nimbusds.jwt.PlainJWT;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.GetIncidentResponse;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.runtime.Health;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a caller shows as a token. Jazzer itself reports any connection that is tried. A build
 * looks for new inputs for a few seconds; {@code ./mvnw test -pl access -am -Dtest=TokenFuzzTest
 * -Dsurefire.failIfNoSpecifiedTests=false -Dfuzz.seconds=600} for longer. What fails is written
 * into {@code src/test/resources/dev/tocsin/access/TokenFuzzTestInputs}: committed there, every
 * build tries it.
 */
class TokenFuzzTest {
  private static final Clock CLOCK = Clock.fixed(Tokens.NOW, ZoneOffset.UTC);
  private static final byte[] SECRET = "thirty-two bytes that nobody has".getBytes(US_ASCII);
  private static final Set<URL> FETCHED = ConcurrentHashMap.newKeySet();
  private static final List<String> GOOD =
      List.of(
          Tokens.token(claims -> {}),
          Tokens.token(claims -> claims.claim("roles", "viewer").claim("workspace", null)));

  /** What was signed of those: who holds anything else has no signature for it. */
  private static final Set<String> SIGNED =
      GOOD.stream().map(t -> t.substring(0, t.lastIndexOf('.'))).collect(Collectors.toSet());

  private static final URL KEYS = url("https://keys.invalid/jwks");
  private static PublishedKeys published;
  private static TokenGuard guard;

  /** Of an issuer whose secret the test has, so that the rest of a token is looked at too. */
  private static final TokenVerifier SHARED =
      new TokenVerifier(
          Tokens.config(JWSAlgorithm.HS256),
          header -> List.of(new SecretKeySpec(SECRET, "HmacSHA256")),
          CLOCK);

  /** The issuer publishes its one key; nobody listens anywhere. */
  @BeforeAll
  static void publish() {
    String keys = new JWKSet(Tokens.KEY.toPublicJWK()).toString();
    Health health = new Health();
    published =
        new PublishedKeys(
            KEYS,
            url -> {
              FETCHED.add(url);
              return new Resource(keys, "application/jwk-set+json");
            },
            Duration.ofHours(1),
            health,
            CLOCK);
    await().atMost(Duration.ofSeconds(30)).until(health::serving);
    guard =
        new TokenGuard(
            new TokenVerifier(Tokens.config(), published, CLOCK),
            name -> true,
            new ScheduledThreadPoolExecutor(1),
            new SimpleMeterRegistry(),
            CLOCK);
  }

  @AfterAll
  static void close() {
    published.close();
  }

  static Stream<byte[]> seeds() throws Exception {
    RSASSASigner own = new RSASSASigner(Tokens.key("one"));
    URI elsewhere = URI.create("https://127.0.0.1:1/keys");
    String payload = Tokens.claims().build().toString();
    return Stream.of(
            "",
            "Basic YTpi",
            "Bearer ..",
            "Bearer " + GOOD.get(0),
            "bearer  " + GOOD.get(1),
            "Bearer " + new PlainJWT(Tokens.claims().build()).serialize(),
            bearer(Tokens.header().jwkURL(elsewhere).build(), own),
            bearer(Tokens.header().x509CertURL(elsewhere).build(), own),
            bearer(Tokens.header().keyID("two").build(), own),
            "Bearer "
                + Tokens.sign(
                    new JWSHeader(JWSAlgorithm.HS256),
                    Tokens.claims().build(),
                    new MACSigner(Tokens.KEY.toPublicKey().getEncoded())),
            "{\"alg\":\"HS256\",\"typ\":\"JWT\"}\n" + payload,
            "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}\n" + payload,
            "{\"alg\":\"HS256\",\"zip\":\"DEF\",\"jku\":\"https://127.0.0.1:1\"}\n" + payload)
        .map(text -> text.getBytes(US_ASCII));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "5s")
  void anyHeader_isUnauthenticatedUnlessItsTokenIsOurs(byte[] bytes) throws Exception {
    String text = new String(bytes, US_ASCII);
    Answer answer = call(text);
    if (answer.letIn) {
      String token = text.substring("bearer ".length()).strip();
      assertThat(SIGNED).contains(token.substring(0, token.lastIndexOf('.')));
    } else if (answer.status.getCode() == Status.Code.UNAUTHENTICATED) {
      assertThat(answer.status.getDescription()).isEqualTo(TokenGuard.NOT_GOOD);
    } else {
      assertThat(answer.status.getCode())
          .as("its key is not known yet")
          .isEqualTo(Status.Code.UNAVAILABLE);
    }
    assertThat(KEYS).isIn(FETCHED);
    assertThat(FETCHED).hasSize(1);
    signed(text);
  }

  /** Its first line as header, the rest as claims, with a signature that is good. */
  private static void signed(String text) throws GeneralSecurityException {
    int line = Math.max(0, text.indexOf('\n'));
    String header = text.substring(0, line);
    String unsigned = Base64URL.encode(header) + "." + Base64URL.encode(text.substring(line));
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(SECRET, "HmacSHA256"));
    String token = unsigned + "." + Base64URL.encode(mac.doFinal(unsigned.getBytes(US_ASCII)));
    if (SHARED.verify(token) instanceof TokenVerifier.Holder holder) {
      assertThat(header).contains("HS256");
      assertThat(text).contains(Tokens.ISSUER, Tokens.AUDIENCE);
      assertThat(holder.until()).isAfter(Tokens.NOW);
      assertThat(holder.caller().workspace()).isNotBlank().hasSizeLessThanOrEqualTo(100);
    }
  }

  private static Answer call(String authorization) {
    Metadata headers = new Metadata();
    headers.put(TokenGuard.AUTHORIZATION, authorization);
    Answer answer = new Answer();
    guard.interceptCall(
        answer,
        headers,
        (call, passed) -> {
          answer.letIn = true;
          return new ServerCall.Listener<>() {};
        });
    return answer;
  }

  private static String bearer(JWSHeader header, RSASSASigner signer) throws Exception {
    return "Bearer " + Tokens.sign(header, Tokens.claims().build(), signer);
  }

  private static URL url(String text) {
    try {
      return URI.create(text).toURL();
    } catch (MalformedURLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A call that remembers how it ended. */
  private static final class Answer extends ServerCall<GetIncidentRequest, GetIncidentResponse> {
    boolean letIn;
    Status status = Status.OK;

    @Override
    public void close(Status how, Metadata trailers) {
      status = how;
    }

    @Override
    public MethodDescriptor<GetIncidentRequest, GetIncidentResponse> getMethodDescriptor() {
      return IncidentServiceGrpc.getGetIncidentMethod();
    }

    @Override
    public void request(int messages) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(GetIncidentResponse message) {}

    @Override
    public boolean isCancelled() {
      return false;
    }
  }
}
