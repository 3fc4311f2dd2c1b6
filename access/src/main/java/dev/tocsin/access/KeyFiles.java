package dev.tocsin.access;

import com.nimbusds.jose.JWSAlgorithm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.interfaces.ECKey;
import java.security.interfaces.RSAKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.spec.SecretKeySpec;

/**
 * Keys from files: PEM (RFC 7468) with one SubjectPublicKeyInfo or one PKCS #8 private key, or the
 * bytes of a secret.
 */
public final class KeyFiles {
  private static final Pattern PEM =
      Pattern.compile("-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\\s]+)-----END \\1-----");

  /** RFC 7518, section 3.2: a key of the hash's size or larger. */
  private static final int SECRET_BYTES_MIN = 32;

  /** RFC 7518, section 3.3. */
  private static final int RSA_BITS_MIN = 2048;

  private static final int P256_BITS = 256;
  private static final int FILE_BYTES_MAX = 64 << 10;

  private KeyFiles() {}

  /**
   * The secret of HS256: the file's bytes, without white space at either end.
   *
   * @throws IOException if there is none of 32 bytes or more
   */
  public static Key secret(Path file) throws IOException {
    byte[] bytes =
        new String(read(file), StandardCharsets.ISO_8859_1)
            .strip()
            .getBytes(StandardCharsets.ISO_8859_1);
    if (bytes.length < SECRET_BYTES_MIN) {
      throw new IOException(file + ": must hold " + SECRET_BYTES_MIN + " bytes or more");
    }
    return new SecretKeySpec(bytes, "HmacSHA256");
  }

  /**
   * A public key for {@code algorithm}.
   *
   * @throws IOException if there is none, or it is too short
   */
  public static PublicKey publicKey(Path file, JWSAlgorithm algorithm) throws IOException {
    try {
      PublicKey key =
          factory(algorithm).generatePublic(new X509EncodedKeySpec(pem(file, "PUBLIC KEY")));
      check(file, key);
      return key;
    } catch (GeneralSecurityException e) {
      throw new IOException(file + ": holds no public key for " + algorithm, e);
    }
  }

  /**
   * A private key for {@code algorithm}.
   *
   * @throws IOException if there is none, or it is too short
   */
  public static PrivateKey privateKey(Path file, JWSAlgorithm algorithm) throws IOException {
    try {
      PrivateKey key =
          factory(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pem(file, "PRIVATE KEY")));
      check(file, key);
      return key;
    } catch (GeneralSecurityException e) {
      throw new IOException(file + ": holds no private key for " + algorithm, e);
    }
  }

  private static KeyFactory factory(JWSAlgorithm algorithm) throws GeneralSecurityException {
    return KeyFactory.getInstance(algorithm.equals(JWSAlgorithm.ES256) ? "EC" : "RSA");
  }

  private static void check(Path file, Key key) throws IOException {
    if (key instanceof RSAKey rsa && rsa.getModulus().bitLength() < RSA_BITS_MIN) {
      throw new IOException(file + ": an RSA key must have " + RSA_BITS_MIN + " bits or more");
    }
    if (key instanceof ECKey ec && ec.getParams().getOrder().bitLength() != P256_BITS) {
      throw new IOException(file + ": an EC key must be of the curve P-256");
    }
  }

  private static byte[] pem(Path file, String kind) throws IOException {
    Matcher pem = PEM.matcher(new String(read(file), StandardCharsets.ISO_8859_1));
    if (!pem.find() || !pem.group(1).equals(kind)) {
      throw new IOException(
          "%s: holds no PEM that begins with -----BEGIN %s-----"
              .formatted(file, kind.toUpperCase(Locale.ROOT)));
    }
    try {
      return Base64.getMimeDecoder().decode(pem.group(2));
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": its PEM is no base64", e);
    }
  }

  private static byte[] read(Path file) throws IOException {
    if (Files.size(file) > FILE_BYTES_MAX) {
      throw new IOException(file + ": is over " + FILE_BYTES_MAX + " bytes");
    }
    return Files.readAllBytes(file);
  }
}
