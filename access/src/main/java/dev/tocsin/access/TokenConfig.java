package dev.tocsin.access;

import com.nimbusds.jose.JWSAlgorithm;
import dev.tocsin.runtime.Settings;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which tokens are good. Immutable.
 *
 * @param algorithm {@code auth.algorithm}: the only one that is taken, whatever a token's header
 *     says
 * @param secret {@code auth.secret-file}: the bytes that HS256 is keyed with
 * @param publicKey {@code auth.public-key-file}: PEM, for RS256 and ES256
 * @param jwks {@code auth.jwks-url}: where the issuer publishes its keys, for RS256 and ES256
 * @param jwksRefresh {@code auth.jwks-refresh}: how often they are fetched while nothing asks for
 *     more
 * @param issuer {@code auth.issuer}: what {@code iss} must be
 * @param audience {@code auth.audience}: what {@code aud} must hold
 * @param rolesClaim {@code auth.roles-claim}: the claim with a list of roles, or names between
 *     spaces
 * @param workspaceClaim {@code auth.workspace-claim}: the claim with the workspace; without it the
 *     caller's is {@code default}
 */
public record TokenConfig(
    JWSAlgorithm algorithm,
    Optional<Path> secret,
    Optional<Path> publicKey,
    Optional<URI> jwks,
    Duration jwksRefresh,
    String issuer,
    String audience,
    String rolesClaim,
    String workspaceClaim) {
  private static final String ALGORITHM = "auth.algorithm";
  private static final String SECRET = "auth.secret-file";
  private static final String PUBLIC_KEY = "auth.public-key-file";
  private static final String JWKS = "auth.jwks-url";
  private static final Set<String> ALGORITHMS = Set.of("RS256", "ES256", "HS256");

  /**
   * The settings {@code auth.*}; empty if none of them is given: then nobody is asked who they are.
   * Faults are left to {@link Settings#check}.
   */
  public static Optional<TokenConfig> read(Settings settings) {
    String algorithm = settings.text(ALGORITHM, "");
    Optional<Path> secret = path(settings, SECRET);
    Optional<Path> publicKey = path(settings, PUBLIC_KEY);
    Optional<URI> jwks = url(settings);
    Duration refresh =
        settings.duration(
            "auth.jwks-refresh",
            Duration.ofMinutes(5),
            Duration.ofSeconds(30),
            Duration.ofHours(24));
    String issuer = settings.text("auth.issuer", "");
    String audience = settings.text("auth.audience", "");
    String roles = settings.text("auth.roles-claim", "roles");
    String workspace = settings.text("auth.workspace-claim", "workspace");
    if (List.of(algorithm, issuer, audience).stream().allMatch(String::isEmpty)
        && secret.isEmpty()
        && publicKey.isEmpty()
        && jwks.isEmpty()) {
      return Optional.empty();
    }
    settings.required("auth.issuer");
    settings.required("auth.audience");
    checkKeys(settings, algorithm, secret, publicKey, jwks);
    return Optional.of(
        new TokenConfig(
            JWSAlgorithm.parse(algorithm.isEmpty() ? "RS256" : algorithm),
            secret,
            publicKey,
            jwks,
            refresh,
            issuer,
            audience,
            roles,
            workspace));
  }

  private static void checkKeys(
      Settings settings,
      String algorithm,
      Optional<Path> secret,
      Optional<Path> publicKey,
      Optional<URI> jwks) {
    if (!ALGORITHMS.contains(algorithm)) {
      settings.fault(ALGORITHM, "must be RS256, ES256 or HS256, not '" + algorithm + "'");
      return;
    }
    List<String> given = new ArrayList<>();
    secret.ifPresent(file -> given.add(SECRET));
    publicKey.ifPresent(file -> given.add(PUBLIC_KEY));
    jwks.ifPresent(url -> given.add(JWKS));
    if (algorithm.equals("HS256") && !given.equals(List.of(SECRET))) {
      settings.fault(ALGORITHM, "HS256 takes " + SECRET + " and no other key, not " + given);
    }
    if (!algorithm.equals("HS256") && (given.size() != 1 || secret.isPresent())) {
      settings.fault(
          ALGORITHM,
          "%s takes either %s or %s, not %s".formatted(algorithm, PUBLIC_KEY, JWKS, given));
    }
  }

  private static Optional<Path> path(Settings settings, String name) {
    return Optional.of(settings.text(name, "")).filter(text -> !text.isEmpty()).map(Path::of);
  }

  private static Optional<URI> url(Settings settings) {
    String text = settings.text(JWKS, "");
    if (text.isEmpty()) {
      return Optional.empty();
    }
    try {
      URI url = URI.create(text);
      if ("https".equals(url.getScheme())
          || ("http".equals(url.getScheme())
              && InetAddress.getByName(url.getHost()).isLoopbackAddress())) {
        return Optional.of(url);
      }
    } catch (IllegalArgumentException | UnknownHostException e) {
      // told below
    }
    settings.fault(JWKS, "must be an https URL, or http on this machine, not '" + text + "'");
    return Optional.of(URI.create("https://invalid.invalid"));
  }
}
