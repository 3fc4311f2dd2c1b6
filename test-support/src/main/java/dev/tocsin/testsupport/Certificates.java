package dev.tocsin.testsupport;

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
public final class Certificates {
  private static final String PASSWORD = "only in a test";
  private static final String AUTHORITY = "authority";
  private static final List<String> EC = List.of("-keyalg", "EC", "-groupname", "secp256r1");
  private static final List<String> RSA = List.of("-keyalg", "RSA", "-keysize", "2048");

  private final Path folder;
  private final String name;
  private final Path store;

  /** A new authority, whose files are put into {@code folder}. */
  public Certificates(Path folder, String name) throws Exception {
    this.folder = folder;
    this.name = name;
    this.store = folder.resolve(name + ".p12");
    generate(AUTHORITY, name, EC, "-ext", "bc:c");
    write(authority(), "CERTIFICATE", keys().getCertificate(AUTHORITY).getEncoded());
  }

  /** The authority's own certificate. */
  public Path authority() {
    return folder.resolve(name + ".pem");
  }

  /** A certificate and its key. */
  public record Issued(Path certificate, Path key) {
    /** The same, in files of its own. */
    public Issued copiedTo(Path folder) throws IOException {
      return new Issued(copy(certificate, folder), copy(key, folder));
    }

    private static Path copy(Path file, Path folder) throws IOException {
      return Files.copy(file, folder.resolve(file.getFileName()));
    }
  }

  /** An EC certificate for 127.0.0.1 and localhost, and its key beside it. */
  public Issued issue(String to, String... validity) throws Exception {
    return issue(to, EC, validity);
  }

  /** The same with an RSA key. */
  public Issued issueRsa(String to) throws Exception {
    return issue(to, RSA);
  }

  private Issued issue(String to, List<String> algorithm, String... validity) throws Exception {
    List<String> options = new ArrayList<>(List.of(validity));
    options.addAll(List.of("-signer", AUTHORITY, "-ext", "san=ip:127.0.0.1,dns:localhost"));
    generate(to, to, algorithm, options.toArray(String[]::new));
    Issued issued = new Issued(folder.resolve(to + ".pem"), folder.resolve(to + ".key"));
    KeyStore keys = keys();
    write(issued.certificate(), "CERTIFICATE", keys.getCertificate(to).getEncoded());
    write(issued.key(), "PRIVATE KEY", keys.getKey(to, PASSWORD.toCharArray()).getEncoded());
    return issued;
  }

  private KeyStore keys() throws Exception {
    return KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
  }

  private static void write(Path file, String kind, byte[] der) throws IOException {
    Files.writeString(
        file,
        "-----BEGIN %s-----\n%s\n-----END %s-----\n"
            .formatted(kind, Base64.getMimeEncoder().encodeToString(der), kind));
  }

  private void generate(String alias, String subject, List<String> algorithm, String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of("-genkeypair", "-alias", alias, "-dname", "CN=" + subject));
    command.addAll(List.of("-keystore", store.toString(), "-storepass", PASSWORD));
    command.addAll(algorithm);
    command.addAll(List.of(options));
    Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!keytool.waitFor(30, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
      throw new IllegalStateException(said);
    }
  }
}
