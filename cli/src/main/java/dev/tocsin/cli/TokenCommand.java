package dev.tocsin.cli;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tocsin token}: mints a token, for trying a server out that asks for one. */
@Command(
    name = "token",
    description = {
      "Mint a token and print it: for trying out a server that asks for one. In production your",
      "identity provider does this.",
      ""
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  head -c 32 /dev/urandom | base64 > secret",
      "  TOCSIN_AUTH_ALGORITHM=HS256 TOCSIN_AUTH_SECRET_FILE=secret TOCSIN_AUTH_ISSUER=me \\",
      "      TOCSIN_AUTH_AUDIENCE=tocsin tocsin up",
      "  export TOCSIN_TOKEN=$(tocsin token --secret-file secret --issuer me --role producer,operator)",
      "  tocsin incident list"
    })
final class TokenCommand implements Callable<Integer> {
  @Mixin HelpFlag help;

  @Spec CommandSpec spec;

  @Option(
      names = "--secret-file",
      paramLabel = "FILE",
      description = "Sign by HS256 with what this file holds, white space at its ends left out.")
  Path secret;

  @Option(
      names = "--signing-key-file",
      paramLabel = "FILE",
      description = "Sign with this private key, PKCS #8 PEM: RS256 with RSA, ES256 with P-256.")
  Path key;

  @Option(names = "--key-id", paramLabel = "ID", description = "The key's name, as kid.")
  String keyId;

  @Option(names = "--issuer", required = true, description = "Who issues it, as iss.")
  String issuer;

  @Option(
      names = "--audience",
      defaultValue = "tocsin",
      description = "Whom it is for, as aud. Default: tocsin.")
  String audience;

  @Option(
      names = "--role",
      split = ",",
      paramLabel = "ROLE",
      description = "producer, viewer, responder, operator. Default: viewer.")
  List<String> roles = List.of("viewer");

  @Option(names = "--workspace", description = "Default: none, which stands for default.")
  String workspace;

  @Option(
      names = "--valid",
      paramLabel = "TIME",
      defaultValue = "1h",
      converter = Durations.class,
      description = "For how long: 5s, 10m, 1h. Default: 1h.")
  Duration valid;

  @Parameters(
      paramLabel = "SUBJECT",
      arity = "0..1",
      defaultValue = "me",
      description = "Whose it is, as sub. Default: me.")
  String subject;

  @Override
  public Integer call() throws Failure {
    try {
      Instant now = Instant.now();
      SignedJWT token = new SignedJWT(header(), claims(now));
      token.sign(signer());
      TocsinMain.above(spec).terminal().out().println(token.serialize());
      return 0;
    } catch (JOSEException | GeneralSecurityException | IllegalArgumentException e) {
      throw Failure.of(new IOException("the key cannot be used: " + e.getMessage(), e));
    } catch (IOException e) {
      throw Failure.of(e);
    }
  }

  private JWTClaimsSet claims(Instant now) {
    return new JWTClaimsSet.Builder()
        .issuer(issuer)
        .audience(audience)
        .subject(subject)
        .claim("roles", roles)
        .claim("workspace", workspace)
        .issueTime(Date.from(now))
        .expirationTime(Date.from(now.plus(valid)))
        .build();
  }

  private JWSHeader header() throws IOException, GeneralSecurityException {
    JWSAlgorithm algorithm =
        secret != null
            ? JWSAlgorithm.HS256
            : privateKey() instanceof ECPrivateKey ? JWSAlgorithm.ES256 : JWSAlgorithm.RS256;
    return new JWSHeader.Builder(algorithm).type(JOSEObjectType.JWT).keyID(keyId).build();
  }

  private JWSSigner signer() throws IOException, GeneralSecurityException, JOSEException {
    if (secret != null) {
      return new MACSigner(
          Files.readString(secret, StandardCharsets.ISO_8859_1)
              .strip()
              .getBytes(StandardCharsets.ISO_8859_1));
    }
    PrivateKey signing = privateKey();
    return signing instanceof ECPrivateKey ec ? new ECDSASigner(ec) : new RSASSASigner(signing);
  }

  private PrivateKey privateKey() throws IOException, GeneralSecurityException {
    if (key == null) {
      throw new IOException("give --secret-file or --signing-key-file");
    }
    String pem = Files.readString(key, StandardCharsets.ISO_8859_1);
    byte[] encoded = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
    PKCS8EncodedKeySpec spec8 = new PKCS8EncodedKeySpec(encoded);
    try {
      return KeyFactory.getInstance("RSA").generatePrivate(spec8);
    } catch (GeneralSecurityException notRsa) {
      return KeyFactory.getInstance("EC").generatePrivate(spec8);
    }
  }
}
