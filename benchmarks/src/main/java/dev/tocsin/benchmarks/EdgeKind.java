package dev.tocsin.benchmarks;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Optional;

/** What an edge asks of those who call it. Its files are in a folder of the bench's own. */
enum EdgeKind {
  /** Nothing. */
  PLAIN {
    @Override
    List<String> settings(Path folder) {
      return List.of();
    }
  },
  /** A token by HS256. */
  JWT {
    @Override
    List<String> settings(Path folder) throws IOException {
      Path secret = Files.writeString(folder.resolve("secret"), SECRET);
      return List.of(
          "auth.algorithm=HS256",
          "auth.secret-file=" + secret,
          "auth.issuer=bench",
          "auth.audience=tocsin");
    }

    @Override
    Optional<String> token() {
      try {
        SignedJWT token =
            new SignedJWT(
                new JWSHeader(JWSAlgorithm.HS256),
                new JWTClaimsSet.Builder()
                    .issuer("bench")
                    .audience("tocsin")
                    .subject("bench")
                    .claim("roles", List.of("producer"))
                    .expirationTime(Date.from(Instant.now().plus(VALID)))
                    .build());
        token.sign(new MACSigner(SECRET));
        return Optional.of(token.serialize());
      } catch (JOSEException e) {
        throw new IllegalStateException(e);
      }
    }
  },
  /** TLS 1.3, by a certificate of its own. */
  TLS {
    @Override
    List<String> settings(Path folder) throws IOException {
      makeCertificate(folder);
      return List.of(
          "edge.tls.certificate-file=" + folder.resolve(CERTIFICATE),
          "edge.tls.key-file=" + folder.resolve("tls.key"));
    }

    @Override
    ChannelCredentials credentials(Path folder) throws IOException {
      return TlsChannelCredentials.newBuilder()
          .trustManager(folder.resolve(CERTIFICATE).toFile())
          .build();
    }
  };

  private static final String SECRET = "only for a bench on this machine";
  private static final String CERTIFICATE = "tls.crt";
  private static final Duration VALID = Duration.ofHours(12);

  abstract List<String> settings(Path folder) throws IOException;

  ChannelCredentials credentials(Path folder) throws IOException {
    return InsecureChannelCredentials.create();
  }

  Optional<String> token() {
    return Optional.empty();
  }

  private static void makeCertificate(Path folder) throws IOException {
    Path store = folder.resolve("tls.p12");
    ChildProcess.run(
        List.of(
            ChildProcess.jdkTool("keytool"),
            "-genkeypair",
            "-alias",
            "it",
            "-dname",
            "CN=localhost",
            "-keyalg",
            "EC",
            "-groupname",
            "secp256r1",
            "-ext",
            "san=dns:localhost",
            "-validity",
            "2",
            "-keystore",
            store.toString(),
            "-storepass",
            SECRET));
    try {
      KeyStore keys = KeyStore.getInstance(store.toFile(), SECRET.toCharArray());
      pem(folder.resolve(CERTIFICATE), "CERTIFICATE", keys.getCertificate("it").getEncoded());
      pem(
          folder.resolve("tls.key"),
          "PRIVATE KEY",
          keys.getKey("it", SECRET.toCharArray()).getEncoded());
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  private static void pem(Path file, String kind, byte[] bytes) throws IOException {
    Files.writeString(
        file,
        "-----BEGIN %1$s-----%n%2$s%n-----END %1$s-----%n"
            .formatted(kind, Base64.getMimeEncoder().encodeToString(bytes)));
  }
}
