package dev.tocsin.access;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.security.Key;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Tokens good and bad, of an issuer whose key is here. */
final class Tokens {
  static final String ISSUER = "https://issuer.example";
  static final String AUDIENCE = "tocsin";
  static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
  static final RSAKey KEY = key("one");

  private Tokens() {}

  static RSAKey key(String name) {
    try {
      return new RSAKeyGenerator(2048).keyID(name).generate();
    } catch (JOSEException e) {
      throw new IllegalStateException(e);
    }
  }

  static TokenConfig config() {
    return config(JWSAlgorithm.RS256);
  }

  static TokenConfig config(JWSAlgorithm algorithm) {
    return new TokenConfig(
        algorithm,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Duration.ofMinutes(5),
        ISSUER,
        AUDIENCE,
        "roles",
        "workspace");
  }

  static TokenVerifier verifier() {
    return new TokenVerifier(config(), keys(), Clock.fixed(NOW, ZoneOffset.UTC));
  }

  static TokenKeys keys() {
    try {
      Key key = KEY.toPublicKey();
      return header -> List.of(key);
    } catch (JOSEException e) {
      throw new IllegalStateException(e);
    }
  }

  static JWTClaimsSet.Builder claims() {
    return new JWTClaimsSet.Builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .subject("anna")
        .claim("workspace", "shop")
        .claim("roles", List.of("producer", "viewer"))
        .expirationTime(Date.from(NOW.plusSeconds(600)));
  }

  static JWSHeader.Builder header() {
    return new JWSHeader.Builder(JWSAlgorithm.RS256).type(JOSEObjectType.JWT).keyID("one");
  }

  static String token(Consumer<JWTClaimsSet.Builder> change) {
    JWTClaimsSet.Builder claims = claims();
    change.accept(claims);
    try {
      return sign(header().build(), claims.build(), new RSASSASigner(KEY));
    } catch (JOSEException e) {
      throw new IllegalStateException(e);
    }
  }

  static String sign(JWSHeader header, JWTClaimsSet claims, JWSSigner signer) throws JOSEException {
    SignedJWT token = new SignedJWT(header, claims);
    token.sign(signer);
    return token.serialize();
  }
}
