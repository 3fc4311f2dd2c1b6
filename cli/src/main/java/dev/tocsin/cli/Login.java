package dev.tocsin.cli;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * How a connection is made, and who makes it.
 *
 * @param transport with TLS or without
 * @param token shown with each call
 */
record Login(ChannelCredentials transport, Optional<String> token) {
  static final Login NONE = new Login(InsecureChannelCredentials.create(), Optional.empty());

  /** The variable that holds a token. */
  private static final String TOKEN = "TOCSIN_TOKEN";

  /** The flags that say it. */
  static final class Flags {
    @Option(
        names = "--auth-token-file",
        scope = ScopeType.INHERIT,
        paramLabel = "FILE",
        description = "The token to show; or give it by the environment variable TOCSIN_TOKEN.")
    Path token;

    @Option(
        names = "--tls",
        scope = ScopeType.INHERIT,
        description = "Encrypt, and trust the authorities that Java trusts.")
    boolean tls;

    @Option(
        names = "--ca-file",
        scope = ScopeType.INHERIT,
        paramLabel = "FILE",
        description = "Encrypt, and trust these authorities, PEM.")
    Path authorities;

    @Option(
        names = "--certificate-file",
        scope = ScopeType.INHERIT,
        paramLabel = "FILE",
        description = "Show this certificate, PEM; with --key-file.")
    Path certificate;

    @Option(
        names = "--key-file",
        scope = ScopeType.INHERIT,
        paramLabel = "FILE",
        description = "The certificate's key, PKCS #8 PEM.")
    Path key;

    /**
     * What the flags and {@code environment} say.
     *
     * @throws UncheckedIOException if a file cannot be used
     */
    Login login(Map<String, String> environment) {
      try {
        return new Login(transport(), token(environment));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private ChannelCredentials transport() throws IOException {
      if ((certificate == null) != (key == null)) {
        throw new IOException("--certificate-file and --key-file belong together");
      }
      if (!tls && authorities == null && certificate == null) {
        return InsecureChannelCredentials.create();
      }
      TlsChannelCredentials.Builder builder = TlsChannelCredentials.newBuilder();
      if (authorities != null) {
        builder.trustManager(authorities.toFile());
      }
      if (certificate != null) {
        builder.keyManager(certificate.toFile(), key.toFile());
      }
      return builder.build();
    }

    private Optional<String> token(Map<String, String> environment) throws IOException {
      String text =
          token == null
              ? environment.getOrDefault(TOKEN, "")
              : Files.readString(token, StandardCharsets.US_ASCII);
      return Optional.of(text.strip()).filter(given -> !given.isEmpty());
    }
  }
}
