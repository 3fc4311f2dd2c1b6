package dev.tocsin.access;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import dev.tocsin.runtime.Caller;
import java.net.URI;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenVerifierTest {
  private final TokenVerifier verifier = Tokens.verifier();

  private Optional<TokenVerifier.Holder> holder(String token) {
    return holder(verifier, token);
  }

  private static Optional<TokenVerifier.Holder> holder(TokenVerifier verifier, String token) {
    return verifier.verify(token) instanceof TokenVerifier.Holder holder
        ? Optional.of(holder)
        : Optional.empty();
  }

  @Test
  void token_saysWhoHoldsIt() {
    TokenVerifier.Holder holder = holder(Tokens.token(claims -> {})).orElseThrow();

    assertThat(holder.caller()).isEqualTo(new Caller("shop", "anna"));
    assertThat(holder.roles()).isEqualTo(Set.of(Role.PRODUCER, Role.VIEWER));
    assertThat(holder.until()).isEqualTo(Tokens.NOW.plusSeconds(600).plus(TokenVerifier.SKEW));
  }

  @Test
  void roles_mayStandInOneText_andUnknownOnesCountForNothing() {
    String token = Tokens.token(claims -> claims.claim("roles", "operator king"));

    assertThat(holder(token).orElseThrow().roles()).isEqualTo(Set.of(Role.OPERATOR));
    assertThat(holder(Tokens.token(c -> c.claim("roles", 7))).orElseThrow().roles()).isEmpty();
  }

  @Test
  void workspace_isTheDefaultOneWhereTheTokenNamesNone() {
    String token = Tokens.token(claims -> claims.claim("workspace", null));

    assertThat(holder(token).orElseThrow().caller().workspace()).isEqualTo("default");
  }

  static Stream<Consumer<JWTClaimsSet.Builder>> badClaims() {
    return Stream.of(
        claims -> claims.issuer("https://another.example"),
        claims -> claims.issuer(null),
        claims -> claims.audience("another"),
        claims -> claims.audience((String) null),
        claims -> claims.subject(null),
        claims -> claims.subject("a".repeat(201)),
        claims -> claims.expirationTime(null),
        claims -> claims.expirationTime(Date.from(Tokens.NOW.minusSeconds(61))),
        claims -> claims.notBeforeTime(Date.from(Tokens.NOW.plusSeconds(61))),
        claims -> claims.claim("workspace", " "),
        claims -> claims.claim("workspace", 7),
        claims -> claims.claim("workspace", "a".repeat(101)));
  }

  @ParameterizedTest
  @MethodSource("badClaims")
  void claims_thatAreNotAsTheyMustBeAreRefused(Consumer<JWTClaimsSet.Builder> change) {
    assertThat(holder(Tokens.token(change))).isEmpty();
  }

  @Test
  void clocks_mayDifferByAMinute() {
    assertThat(holder(Tokens.token(c -> c.expirationTime(Date.from(Tokens.NOW.minusSeconds(58))))))
        .isPresent();
    assertThat(holder(Tokens.token(c -> c.notBeforeTime(Date.from(Tokens.NOW.plusSeconds(58))))))
        .isPresent();
  }

  @Test
  void algorithmNone_isRefused() {
    assertThat(holder(new PlainJWT(Tokens.claims().build()).serialize())).isEmpty();
  }

  @Test
  void publicKeyAsASecret_isRefused() throws Exception {
    byte[] published = Tokens.KEY.toPublicKey().getEncoded();
    String token =
        Tokens.sign(
            new JWSHeader(JWSAlgorithm.HS256), Tokens.claims().build(), new MACSigner(published));

    assertThat(holder(token)).isEmpty();
  }

  @Test
  void keysThatTheTokenBringsOrPointsTo_areNotBelieved() throws Exception {
    RSAKey own = Tokens.key("one");
    RSASSASigner signer = new RSASSASigner(own);
    JWTClaimsSet claims = Tokens.claims().build();
    List<JWSHeader> headers =
        List.of(
            Tokens.header().jwk(own.toPublicJWK()).build(),
            Tokens.header().jwkURL(URI.create("https://127.0.0.1:1/keys")).build(),
            Tokens.header().build());
    for (JWSHeader header : headers) {
      assertThat(holder(Tokens.sign(header, claims, signer))).isEmpty();
    }
  }

  @Test
  void type_mustBeThatOfAToken() throws Exception {
    RSASSASigner signer = new RSASSASigner(Tokens.KEY);
    JWTClaimsSet claims = Tokens.claims().build();
    assertThat(
            holder(
                Tokens.sign(
                    Tokens.header().type(new JOSEObjectType("logout+jwt")).build(),
                    claims,
                    signer)))
        .isEmpty();
    assertThat(
            holder(
                Tokens.sign(
                    Tokens.header().type(new JOSEObjectType("at+jwt")).build(), claims, signer)))
        .isPresent();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", ".", "..", "a.b.c", "no token", "eyJhbGciOiJSUzI1NiJ9.e30.", "bnVsbA.e30.AA"})
  void nonsense_isRefused(String token) {
    assertThat(holder(token)).isEmpty();
  }

  /** The parser passes over all of these. */
  @ParameterizedTest
  @ValueSource(strings = {" ", "\u0001", "\n", "!", "=", "\u00e9"})
  void goodToken_withWhatATokenCannotHoldIsRefused(String more) {
    String token = Tokens.token(claims -> {});
    for (String other : List.of(more + token, token + more)) {
      assertThat(verifier.verify(other))
          .isEqualTo(new TokenVerifier.NotGood(AuthFailure.MALFORMED));
    }
  }

  @Test
  void change_ofAnyPartIsRefused() {
    String token = Tokens.token(claims -> {});
    for (int i = 0; i < token.length() - 3; i += 7) {
      char other = token.charAt(i) == 'A' ? 'B' : 'A';
      assertThat(holder(token.substring(0, i) + other + token.substring(i + 1)))
          .as("at " + i)
          .isEmpty();
    }
    assertThat(holder(token)).isPresent();
  }

  @Test
  void whyItIsNotGood_isTold() throws Exception {
    RSASSASigner foreign = new RSASSASigner(Tokens.key("one"));
    JWTClaimsSet claims = Tokens.claims().build();
    Map<String, AuthFailure> reasons = new LinkedHashMap<>();
    reasons.put("no token", AuthFailure.MALFORMED);
    reasons.put("eyJhbGciOiJSUzI1NiJ9.bm8ganNvbg.AA", AuthFailure.MALFORMED);
    reasons.put(new PlainJWT(claims).serialize(), AuthFailure.SIGNATURE);
    reasons.put(Tokens.sign(Tokens.header().build(), claims, foreign), AuthFailure.SIGNATURE);
    reasons.put(Tokens.token(c -> c.issuer("another")), AuthFailure.CLAIMS);
    reasons.put(Tokens.token(c -> c.claim("workspace", 7)), AuthFailure.CLAIMS);
    reasons.put(
        Tokens.token(c -> c.notBeforeTime(Date.from(Tokens.NOW.plusSeconds(61)))),
        AuthFailure.CLAIMS);
    reasons.put(
        Tokens.token(c -> c.expirationTime(Date.from(Tokens.NOW.minusSeconds(61)))),
        AuthFailure.EXPIRED);

    reasons.forEach(
        (token, reason) ->
            assertThat(verifier.verify(token)).isEqualTo(new TokenVerifier.NotGood(reason)));
  }

  @Test
  void remembered_tokenEndsAllTheSame() {
    MovingClock clock = new MovingClock(Tokens.NOW);
    TokenVerifier moving = new TokenVerifier(Tokens.config(), Tokens.keys(), clock);
    String token = Tokens.token(claims -> {});

    assertThat(holder(moving, token)).isPresent();
    clock.to(Tokens.NOW.plusSeconds(659));
    assertThat(holder(moving, token)).isPresent();
    clock.to(Tokens.NOW.plusSeconds(660));
    assertThat(holder(moving, token)).isEmpty();
  }

  @Test
  void role_coversThoseBelowIt_butAlertsAreAnotherMatter() {
    assertThat(Role.OPERATOR.covers(Role.VIEWER)).isTrue();
    assertThat(Role.RESPONDER.covers(Role.VIEWER)).isTrue();
    assertThat(Role.VIEWER.covers(Role.RESPONDER)).isFalse();
    assertThat(Role.OPERATOR.covers(Role.PRODUCER)).isFalse();
    assertThat(Role.PRODUCER.covers(Role.VIEWER)).isFalse();
    assertThat(Role.PRODUCER.covers(Role.PRODUCER)).isTrue();
  }
}
