package dev.tocsin.access;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An authority of its own, and certificates that it signs, by the JDK's keytool. */
final class Certificates {
  private static final String PASSWORD = "only in a test";

  private final Path folder;
  private final String name;

  /** A new authority. */
  Certificates(Path folder, String name) throws Exception {
    this.folder = folder;
    this.name = name;
    keytool(name, "-genkeypair", "-alias", "it", "-dname", "CN=" + name, "-ext", "bc:c");
    keytool(name, "-exportcert", "-alias", "it", "-rfc", "-file", pem(name).toString());
  }

  /** The authority's own certificate. */
  Path authority() {
    return pem(name);
  }

  private Path pem(String of) {
    return folder.resolve(of + ".pem");
  }

  /** A certificate for 127.0.0.1 and localhost, and its key beside it. */
  Issued issue(String to, String... validity) throws Exception {
    keytool(to, "-genkeypair", "-alias", "it", "-dname", "CN=" + to);
    Path request = folder.resolve(to + ".csr");
    keytool(to, "-certreq", "-alias", "it", "-file", request.toString());
    List<String> sign =
        new ArrayList<>(
            List.of(
                "-gencert",
                "-alias",
                "it",
                "-rfc",
                "-infile",
                request.toString(),
                "-outfile",
                pem(to).toString(),
                "-ext",
                "san=ip:127.0.0.1,dns:localhost"));
    sign.addAll(List.of(validity));
    keytool(name, sign.toArray(String[]::new));
    KeyStore store = KeyStore.getInstance(store(to).toFile(), PASSWORD.toCharArray());
    byte[] key = store.getKey("it", PASSWORD.toCharArray()).getEncoded();
    Path keyFile = folder.resolve(to + ".key");
    Files.writeString(
        keyFile,
        "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"
            .formatted(Base64.getMimeEncoder().encodeToString(key)));
    return new Issued(pem(to), keyFile);
  }

  /** A certificate and its key. */
  record Issued(Path certificate, Path key) {}

  private Path store(String of) {
    return folder.resolve(of + ".p12");
  }

  private void keytool(String of, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    command.addAll(List.of("-keystore", store(of).toString(), "-storepass", PASSWORD));
    if (arguments[0].equals("-genkeypair")) {
      command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1"));
    }
    Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!keytool.waitFor(30, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
      throw new IllegalStateException(said);
    }
  }
}
