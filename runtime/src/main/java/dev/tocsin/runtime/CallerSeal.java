package dev.tocsin.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.grpc.Metadata;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Writes who calls into a header that only servers of the same secret can have written, and reads
 * it: HMAC-SHA256 over workspace, principal, time and the method that is called, as
 *
 * <pre>
 * 2.base64url(workspace).base64url(principal).milliseconds since 1970.base64url(mac)
 * </pre>
 *
 * where the mac is of all before it, a dot, and the method's full name. Good for 60 seconds either
 * way, so that clocks may differ a little, and for that method only. It does not hide anything, and
 * whoever sees it can send it again within that time with another message for the same method:
 * between machines it wants {@code forward.tls.*}, or a network that is trusted. Neither secret nor
 * header is ever logged. Thread-safe.
 */
public final class CallerSeal {
  /** The header. */
  static final Metadata.Key<String> HEADER =
      Metadata.Key.of("tocsin-caller", Metadata.ASCII_STRING_MARSHALLER);

  static final Duration SKEW_MAX = Duration.ofSeconds(60);
  static final int SECRET_BYTES_MIN = 16;

  private static final String SETTING = "forward.secret";
  private static final String FORM = "2";
  private static final String ALGORITHM = "HmacSHA256";
  private static final int PARTS = 5;
  private static final int HEADER_CHARACTERS_MAX = 4096;

  private final SecretKeySpec key;

  /** A seal of this secret. */
  CallerSeal(String secret) {
    this.key = new SecretKeySpec(secret.getBytes(UTF_8), ALGORITHM);
  }

  /**
   * The seal of {@code forward.secret}, which is the same on whoever forwards and whoever is
   * forwarded to; empty if none is set.
   */
  public static Optional<CallerSeal> read(Settings settings) {
    String secret = settings.text(SETTING, "");
    if (secret.isEmpty()) {
      return Optional.empty();
    }
    if (secret.getBytes(UTF_8).length < SECRET_BYTES_MIN) {
      settings.fault(SETTING, "must have " + SECRET_BYTES_MIN + " bytes or more");
    }
    return Optional.of(new CallerSeal(secret));
  }

  /**
   * The header.
   *
   * @param method its full name
   */
  String seal(Caller caller, String method, Instant now) {
    String told =
        String.join(
            ".",
            FORM,
            text(caller.workspace().getBytes(UTF_8)),
            text(caller.principal().getBytes(UTF_8)),
            Long.toString(now.toEpochMilli()));
    return told + "." + text(mac(told, method));
  }

  /**
   * Who calls; empty if the header is not ours, was changed, is for another method or not of about
   * now.
   */
  Optional<Caller> open(String header, String method, Instant now) {
    if (header.length() > HEADER_CHARACTERS_MAX) {
      return Optional.empty();
    }
    String[] parts = header.split("\\.", -1);
    if (parts.length != PARTS || !parts[0].equals(FORM)) {
      return Optional.empty();
    }
    try {
      String told = header.substring(0, header.lastIndexOf('.'));
      if (!MessageDigest.isEqual(mac(told, method), Base64.getUrlDecoder().decode(parts[4]))) {
        return Optional.empty();
      }
      Duration age = Duration.between(Instant.ofEpochMilli(Long.parseLong(parts[3])), now).abs();
      return age.compareTo(SKEW_MAX) > 0
          ? Optional.empty()
          : Optional.of(new Caller(plain(parts[1]), plain(parts[2])));
    } catch (IllegalArgumentException malformed) {
      return Optional.empty();
    }
  }

  /** Says nothing of the secret. */
  @Override
  public String toString() {
    return "CallerSeal[***]";
  }

  private byte[] mac(String told, String method) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      return mac.doFinal((told + "." + method).getBytes(UTF_8));
    } catch (NoSuchAlgorithmException | InvalidKeyException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }

  private static String text(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static String plain(String text) {
    return new String(Base64.getUrlDecoder().decode(text), UTF_8);
  }
}
