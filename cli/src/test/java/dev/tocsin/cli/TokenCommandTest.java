package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jwt.SignedJWT;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenCommandTest {
  private static final String SECRET = "0123456789abcdef0123456789abcdef";

  @TempDir Path folder;

  @Test
  void token_bySecret_saysWhatTheFlagsSay() throws Exception {
    Path secret = Files.writeString(folder.resolve("secret"), SECRET + "\n");
    SignedJWT token =
        minted(
            "--secret-file",
            secret.toString(),
            "--issuer",
            "it",
            "--role",
            "producer,operator",
            "--workspace",
            "shop",
            "--valid",
            "10m",
            "anna");

    assertThat(token.verify(new MACVerifier(SECRET))).isTrue();
    assertThat(token.getJWTClaimsSet().getIssuer()).isEqualTo("it");
    assertThat(token.getJWTClaimsSet().getAudience()).containsExactly("tocsin");
    assertThat(token.getJWTClaimsSet().getSubject()).isEqualTo("anna");
    assertThat(token.getJWTClaimsSet().getClaim("workspace")).isEqualTo("shop");
    assertThat(token.getJWTClaimsSet().getClaim("roles"))
        .isEqualTo(List.of("producer", "operator"));
    assertThat(token.getJWTClaimsSet().getExpirationTime().toInstant())
        .isBetween(Instant.now().plusSeconds(590), Instant.now().plusSeconds(601));
  }

  @Test
  void token_isSignedByWhateverTheKeyIs() throws Exception {
    KeyPair rsa = pair("RSA", 2048);
    KeyPair ec = pair("EC", 256);
    SignedJWT byRsa = minted("--signing-key-file", pem(rsa), "--issuer", "it", "--key-id", "one");
    assertThat(byRsa.verify(new RSASSAVerifier((RSAPublicKey) rsa.getPublic()))).isTrue();
    assertThat(byRsa.getHeader().getAlgorithm().getName()).isEqualTo("RS256");
    assertThat(byRsa.getHeader().getKeyID()).isEqualTo("one");
    SignedJWT byEc = minted("--signing-key-file", pem(ec), "--issuer", "it");
    assertThat(byEc.verify(new ECDSAVerifier((ECPublicKey) ec.getPublic()))).isTrue();
    assertThat(byEc.getHeader().getAlgorithm().getName()).isEqualTo("ES256");
  }

  @Test
  void faults_areSaidInALine() throws Exception {
    assertThat(CommandRun.of("token", "--issuer", "it").err())
        .contains("give --secret-file or --signing-key-file");
    Path small = Files.writeString(folder.resolve("small"), "short");
    CommandRun run = CommandRun.of("token", "--issuer", "it", "--secret-file", small.toString());
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("the key cannot be used").hasLineCount(1);
    CommandRun absent =
        CommandRun.of("--auth-token-file", folder.resolve("absent").toString(), "incident", "list");
    assertThat(absent.exitCode()).isEqualTo(1);
    assertThat(absent.err()).contains("absent").hasLineCount(1);
  }

  private static SignedJWT minted(String... flags) throws Exception {
    String[] args = new String[flags.length + 1];
    args[0] = "token";
    System.arraycopy(flags, 0, args, 1, flags.length);
    CommandRun run = CommandRun.of(args);
    assertThat(run.err()).isEmpty();
    return SignedJWT.parse(run.out().strip());
  }

  private static KeyPair pair(String algorithm, int bits) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
    generator.initialize(bits);
    return generator.generateKeyPair();
  }

  private String pem(KeyPair pair) throws Exception {
    Path file = folder.resolve(pair.getPrivate().getAlgorithm() + ".pem");
    Files.writeString(
        file,
        "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"
            .formatted(Base64.getMimeEncoder().encodeToString(pair.getPrivate().getEncoded())));
    return file.toString();
  }
}
