package dev.tocsin.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWSAlgorithm;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.LoggedCalls;
import dev.tocsin.runtime.Settings;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Clock;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AccessConfigTest {
  private static final Map<String, String> TOKENS =
      Map.of(
          "auth.algorithm", "RS256",
          "auth.jwks-url", "https://id.example.com/keys",
          "auth.issuer", "me",
          "auth.audience", "tocsin");
  private static final Map<String, String> TLS =
      Map.of("edge.tls.certificate-file", "a.crt", "edge.tls.key-file", "a.key");

  @TempDir Path folder;

  @Test
  void loopback_mayBeOpen() {
    Access.Config config = read(Map.of());

    assertThat(config.tls()).isEmpty();
    assertThat(config.tokens()).isEmpty();
    assertThat(config.logged()).isEqualTo(LoggedCalls.ERRORS);
  }

  @Test
  void whatOthersReach_asksWhoTheyAre_unlessToldNotTo() {
    Map<String, String> everywhere = Map.of("edge.host", "0.0.0.0");
    assertThatThrownBy(() -> read(everywhere))
        .hasMessageContaining("nobody is asked who they are: set auth.*, or edge.open=true");
    read(everywhere, Map.of("edge.open", "true"));
    read(everywhere, TLS, Map.of("edge.tls.client-authorities-file", "ca.crt"));
    assertThatThrownBy(() -> read(everywhere, TLS))
        .as("a server's own certificate asks nobody")
        .hasMessageContaining("nobody is asked");
  }

  @Test
  void tokens_doNotGoUnencrypted_unlessToldThatSomethingElseEncrypts() {
    Map<String, String> everywhere = Map.of("edge.host", "0.0.0.0");
    assertThatThrownBy(() -> read(everywhere, TOKENS))
        .hasMessageContaining("unencrypted: set edge.tls.*, or edge.plaintext=true");
    read(everywhere, TOKENS, Map.of("edge.plaintext", "true"));
    read(everywhere, TOKENS, TLS);
    read(TOKENS);
  }

  @Test
  void internalPort_thatOthersReachAsksForCertificates_unlessToldNotTo() {
    Map<String, String> everywhere = Map.of("edge.host", "0.0.0.0");
    assertThatThrownBy(() -> readInternal(everywhere))
        .hasMessageContaining("nobody is asked who they are: set edge.tls.client-authorities-file");
    assertThatThrownBy(() -> readInternal(everywhere, TLS))
        .as("a server's own certificate asks nobody")
        .hasMessageContaining("nobody is asked");
    assertThat(readInternal(everywhere, Map.of("edge.open", "true"))).isEmpty();
    assertThat(readInternal(everywhere, TLS, Map.of("edge.tls.client-authorities-file", "ca.crt")))
        .isPresent();
    assertThat(readInternal(Map.of())).isEmpty();
  }

  @Test
  void forwarding_needsAnAuthorityToTrust_andACertificateWithItsKey() {
    assertThat(readForward(Map.of())).isEmpty();
    assertThat(readForward(Map.of("forward.tls.ca-file", "ca.crt")).orElseThrow().identity())
        .isEmpty();
    assertThatThrownBy(() -> readForward(Map.of("forward.tls.certificate-file", "a.crt")))
        .hasMessageContainingAll(
            "forward.tls.ca-file: is missing", "forward.tls.key-file: is missing");
  }

  @Test
  void faults_areNamedAllAtOnce() {
    assertThatThrownBy(
            () ->
                read(
                    Map.of(
                        "auth.algorithm", "none",
                        "auth.jwks-url", "http://id.example.com/keys",
                        "edge.tls.key-file", "a.key",
                        "edge.access-log", "some",
                        "limits.calls-per-second", "-1")))
        .hasMessageContainingAll(
            "auth.algorithm: must be RS256, ES256 or HS256, not 'none'",
            "auth.issuer: is missing",
            "auth.audience: is missing",
            "auth.jwks-url: must be an https URL",
            "edge.tls.certificate-file: is missing",
            "edge.access-log: must be off, errors or all, not 'some'",
            "limits.calls-per-second: must be");
  }

  @Test
  void algorithm_andKey_mustGoTogether() {
    assertThatThrownBy(() -> read(TOKENS, Map.of("auth.algorithm", "HS256")))
        .hasMessageContaining("HS256 takes auth.secret-file and no other key");
    assertThatThrownBy(() -> read(TOKENS, Map.of("auth.public-key-file", "k.pem")))
        .hasMessageContaining("takes either auth.public-key-file or auth.jwks-url");
    assertThatThrownBy(() -> read(TOKENS, Map.of("auth.secret-file", "s")))
        .hasMessageContaining("takes either");
  }

  @Test
  void keys_areReadAtTheStart_orNamedInTheFault() throws Exception {
    Path key = folder.resolve("key.pem");
    Map<String, String> byFile =
        Map.of(
            "auth.algorithm", "ES256",
            "auth.public-key-file", key.toString(),
            "auth.issuer", "me",
            "auth.audience", "tocsin");
    assertThatThrownBy(() -> open(byFile)).hasMessageContaining("key.pem");
    Files.writeString(key, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    assertThatThrownBy(() -> open(byFile))
        .hasMessageContaining("key.pem")
        .hasMessageContaining("ES256");
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp384r1"));
    write(key, generator.generateKeyPair().getPublic().getEncoded());
    assertThatThrownBy(() -> open(byFile)).hasMessageContaining("P-256");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    write(key, generator.generateKeyPair().getPublic().getEncoded());
    open(byFile).close();
    assertThat(KeyFiles.publicKey(key, JWSAlgorithm.ES256).getAlgorithm()).isEqualTo("EC");
    Path secret = Files.writeString(folder.resolve("secret"), "too short\n");
    assertThatThrownBy(
            () ->
                open(
                    Map.of(
                        "auth.algorithm", "HS256",
                        "auth.secret-file", secret.toString(),
                        "auth.issuer", "me",
                        "auth.audience", "tocsin")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("32 bytes");
  }

  private static void write(Path file, byte[] key) throws IOException {
    Files.writeString(
        file,
        "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n"
            .formatted(Base64.getMimeEncoder().encodeToString(key)));
  }

  private static Access open(Map<String, String> settings) throws IOException {
    return new Access(read(settings), new SimpleMeterRegistry(), new Health(), Clock.systemUTC());
  }

  @SafeVarargs
  private static Access.Config read(Map<String, String>... settings) {
    return read(given -> Access.Config.read(given, "edge"), settings);
  }

  @SafeVarargs
  private static Optional<ServerTls.Config> readInternal(Map<String, String>... settings) {
    return read(given -> ServerTls.Config.readInternal(given, "edge"), settings);
  }

  @SafeVarargs
  private static Optional<ClientTls.Config> readForward(Map<String, String>... settings) {
    return read(ClientTls.Config::read, settings);
  }

  @SafeVarargs
  private static <T> T read(Function<Settings, T> reader, Map<String, String>... settings) {
    Map<String, String> all = new TreeMap<>();
    for (Map<String, String> some : settings) {
      all.putAll(some);
    }
    Settings given = Settings.of(all);
    T config = reader.apply(given);
    given.check();
    return config;
  }
}
