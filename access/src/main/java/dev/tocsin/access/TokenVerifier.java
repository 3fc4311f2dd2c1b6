package dev.tocsin.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.BadJWTException;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.jwt.proc.ExpiredJWTException;
import dev.tocsin.runtime.Caller;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says who holds a token: a JWT (RFC 7519) signed by the one algorithm that is configured, of the
 * configured issuer and audience, with a subject and an expiry. What its header says of algorithms
 * and of where keys are is not believed (RFC 8725). Clocks may differ by {@link #SKEW}.
 *
 * <p>Thread-safe; never waits. A token that was good is remembered for a minute, so that its
 * signature is not computed for each call.
 */
final class TokenVerifier {
  static final Duration SKEW = Duration.ofSeconds(60);

  private static final Logger LOG = LoggerFactory.getLogger(TokenVerifier.class);
  private static final int REMEMBERED_MAX = 10_000;
  private static final Duration REMEMBERED = Duration.ofMinutes(1);
  private static final int WORKSPACE_CHARACTERS_MAX = 100;
  private static final int SUBJECT_CHARACTERS_MAX = 200;

  private final TokenConfig config;
  private final Clock clock;
  private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
  private final Cache<String, Holder> remembered =
      Caffeine.newBuilder().maximumSize(REMEMBERED_MAX).expireAfterWrite(REMEMBERED).build();

  /** What a token comes to. */
  sealed interface Verdict permits Holder, NotGood {}

  /** Why it is not good. Holds nothing of the token. */
  record NotGood(AuthFailure why) implements Verdict {}

  /**
   * Who holds a token that is good.
   *
   * @param roles that the token names
   * @param until when it is good, skew included
   */
  record Holder(Caller caller, Set<Role> roles, Instant until) implements Verdict {
    boolean may(Role needed) {
      return roles.stream().anyMatch(role -> role.covers(needed));
    }
  }

  TokenVerifier(TokenConfig config, TokenKeys keys, Clock clock) {
    this.config = config;
    this.clock = clock;
    processor.setJWSTypeVerifier(
        new DefaultJOSEObjectTypeVerifier<>(
            JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null));
    processor.setJWSKeySelector(
        (header, context) ->
            config.algorithm().equals(header.getAlgorithm()) ? keys.select(header) : List.of());
    processor.setJWTClaimsSetVerifier(claims());
  }

  /**
   * Who holds {@code token}, or why it is not good. Any text may be given.
   *
   * @throws TokenKeys.NotYetException if the key that it names is not known yet
   */
  Verdict verify(String token) {
    Holder known = remembered.getIfPresent(token);
    if (known == null) {
      Verdict verdict = hasForm(token) ? read(token) : new NotGood(AuthFailure.MALFORMED);
      if (!(verdict instanceof Holder holder)) {
        return verdict;
      }
      known = holder;
      remembered.put(token, known);
    }
    return clock.instant().isBefore(known.until()) ? known : new NotGood(AuthFailure.EXPIRED);
  }

  private DefaultJWTClaimsVerifier<SecurityContext> claims() {
    DefaultJWTClaimsVerifier<SecurityContext> claims =
        new DefaultJWTClaimsVerifier<>(
            Set.of(config.audience()),
            new JWTClaimsSet.Builder().issuer(config.issuer()).build(),
            Set.of("sub", "exp"),
            Set.of()) {
          @Override
          protected Date currentTime() {
            return Date.from(clock.instant());
          }
        };
    claims.setMaxClockSkew((int) SKEW.toSeconds());
    return claims;
  }

  /**
   * Whether it is written as RFC 7515 has it. The parser by itself passes over much that is not, so
   * that a good token could be written in any number of ways.
   */
  private static boolean hasForm(String token) {
    return token.chars().allMatch(TokenVerifier::mayOccur);
  }

  private static boolean mayOccur(int c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '-'
        || c == '_'
        || c == '.';
  }

  private Verdict read(String token) {
    JWTClaimsSet claims;
    try {
      claims = processor.process(token, null);
    } catch (ParseException e) {
      return new NotGood(AuthFailure.MALFORMED);
    } catch (ExpiredJWTException e) {
      return new NotGood(AuthFailure.EXPIRED);
    } catch (BadJWTException e) {
      return new NotGood(
          e.getCause() instanceof ParseException ? AuthFailure.MALFORMED : AuthFailure.CLAIMS);
    } catch (BadJOSEException | JOSEException e) {
      return new NotGood(AuthFailure.SIGNATURE);
    } catch (TokenKeys.NotYetException e) {
      throw e;
    } catch (RuntimeException e) {
      // The parser was not made for everything that a stranger can write: a header of null.
      LOG.debug("a token cannot be parsed", e);
      return new NotGood(AuthFailure.MALFORMED);
    }
    return holder(claims);
  }

  private Verdict holder(JWTClaimsSet claims) {
    Object workspace = claims.getClaim(config.workspaceClaim());
    String subject = claims.getSubject();
    if (!(workspace == null || isName(workspace)) || subject.length() > SUBJECT_CHARACTERS_MAX) {
      return new NotGood(AuthFailure.CLAIMS);
    }
    return new Holder(
        new Caller(workspace == null ? Caller.ANONYMOUS.workspace() : (String) workspace, subject),
        roles(claims),
        claims.getExpirationTime().toInstant().plus(SKEW));
  }

  private static boolean isName(Object workspace) {
    return workspace instanceof String text
        && !text.isBlank()
        && text.length() <= WORKSPACE_CHARACTERS_MAX
        && text.chars().noneMatch(Character::isISOControl);
  }

  private Set<Role> roles(JWTClaimsSet claims) {
    Object told = claims.getClaim(config.rolesClaim());
    List<?> names =
        told instanceof List<?> list
            ? list
            : told instanceof String text ? List.of(text.split(" ")) : List.of();
    Set<Role> roles = EnumSet.noneOf(Role.class);
    for (Object name : names) {
      Role.named(String.valueOf(name)).ifPresent(roles::add);
    }
    return roles;
  }
}
