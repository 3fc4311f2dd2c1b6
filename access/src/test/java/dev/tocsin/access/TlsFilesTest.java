package dev.tocsin.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.testsupport.Certificates;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.grpc.util.AdvancedTlsX509TrustManager.Verification;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.PrivateKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TlsFilesTest {
  @TempDir static Path issued;
  private static Certificates authority;
  private static final Map<String, Certificates.Issued> FIRST = new HashMap<>();
  private static final Map<String, Certificates.Issued> NEXT = new HashMap<>();

  @TempDir Path folder;
  private final List<String> warnings = new ArrayList<>();

  /** Nobody looks at them but the test. */
  private final TlsFiles files = new TlsFiles(Duration.ofHours(1), warnings::add);

  private Certificates.Issued installed;

  @BeforeAll
  static void issue() throws Exception {
    authority = new Certificates(issued, "authority");
    FIRST.put("EC", authority.issue("first"));
    NEXT.put("EC", authority.issue("renewed"));
    Certificates rsa = new Certificates(Files.createDirectory(issued.resolve("rsa")), "another");
    FIRST.put("RSA", rsa.issueRsa("first"));
    NEXT.put("RSA", rsa.issueRsa("renewed"));
  }

  @AfterEach
  void close() {
    files.close();
  }

  /** Between its two files, whatever renews them may be stopped. */
  @ParameterizedTest
  @CsvSource({"EC,EC", "RSA,RSA", "EC,RSA", "RSA,EC"})
  void certificate_whoseKeyIsYetToComeIsNotTakenOver(String old, String renewed) throws Exception {
    AdvancedTlsX509KeyManager keys = install(old);
    Certificates.Issued next = NEXT.get(renewed).copiedTo(folder);
    PrivateKey before = keys.getPrivateKey(alias(keys));

    replace(next.certificate(), installed.certificate());
    files.look();
    files.look();
    assertThat(subject(keys)).isEqualTo("CN=first");
    assertThat(keys.getPrivateKey(alias(keys))).isEqualTo(before);
    assertThat(warnings)
        .singleElement()
        .asString()
        .contains("what was read before stays", "the key is not that of the certificate");

    replace(next.key(), installed.key());
    files.look();
    assertThat(subject(keys)).isEqualTo("CN=renewed");
    assertThat(keys.getPrivateKey(alias(keys))).isNotEqualTo(before);
    assertThat(keys.getCertificateChain(alias(keys))[0].getPublicKey())
        .isInstanceOf(renewed.equals("EC") ? ECPublicKey.class : RSAPublicKey.class);
    assertThat(warnings).hasSize(1);
  }

  /** As where a tool sets times: keys of RSA are equally long. */
  @Test
  void files_ofTheSameTimeAndLength_areNoticed() throws Exception {
    AdvancedTlsX509KeyManager keys = install("RSA");
    Certificates.Issued next = NEXT.get("RSA").copiedTo(folder);
    Path padded = folder.resolve("padded");
    for (Path[] pair :
        new Path[][] {
          {next.certificate(), installed.certificate()}, {next.key(), installed.key()}
        }) {
      long length = Math.max(Files.size(pair[0]), Files.size(pair[1]));
      for (Path each : pair) {
        String text = Files.readString(each);
        Files.writeString(padded, text + "\n".repeat((int) (length - Files.size(each))));
        replace(padded, each);
        Files.setLastModifiedTime(each, FileTime.fromMillis(1_800_000_000_000L));
      }
    }
    files.look();
    assertThat(subject(keys)).isEqualTo("CN=first");

    replace(next.certificate(), installed.certificate());
    replace(next.key(), installed.key());
    files.look();
    assertThat(subject(keys)).isEqualTo("CN=renewed");
  }

  @Test
  void key_thatComesBeforeItsCertificateIsNotTakenOver() throws Exception {
    AdvancedTlsX509KeyManager keys = install("EC");
    Certificates.Issued next = NEXT.get("EC").copiedTo(folder);

    replace(next.key(), installed.key());
    files.look();
    assertThat(subject(keys)).isEqualTo("CN=first");
    replace(next.certificate(), installed.certificate());
    files.look();
    assertThat(subject(keys)).isEqualTo("CN=renewed");
  }

  @Test
  void files_thatAreAbsentOrEmptyForATimeAreTriedAgain() throws Exception {
    AdvancedTlsX509KeyManager keys = install("EC");
    Certificates.Issued next = NEXT.get("EC").copiedTo(folder);
    Path aside = folder.resolve("aside");
    replace(next.key(), installed.key());
    replace(next.certificate(), aside);

    Files.delete(installed.certificate());
    files.look();
    files.look();
    assertThat(warnings).singleElement().asString().contains("NoSuchFile");
    Files.createFile(installed.certificate());
    files.look();
    assertThat(warnings).hasSize(2).last().asString().contains("holds no certificate");
    assertThat(subject(keys)).isEqualTo("CN=first");

    replace(aside, installed.certificate());
    files.look();
    assertThat(subject(keys)).isEqualTo("CN=renewed");
  }

  @Test
  void pair_thatDoesNotMatchIsRefusedAtTheStart() throws Exception {
    Path certificate = FIRST.get("EC").certificate();
    Path key = NEXT.get("EC").key();

    assertThatThrownBy(() -> files.identity(certificate, key))
        .isInstanceOf(IOException.class)
        .hasMessageContainingAll(
            "first.pem", "renewed.key", "the key is not that of the certificate");
  }

  @Test
  void authorities_thatAreEmptyForATimeStayTrusted() throws Exception {
    Path file = Files.copy(authority.authority(), folder.resolve("authority.pem"));
    AdvancedTlsX509TrustManager trust =
        files.authorities(file, Verification.CERTIFICATE_ONLY_VERIFICATION);
    Files.writeString(file, "");
    files.look();

    assertThat(trust.getAcceptedIssuers()).hasSize(1);
    assertThat(warnings).singleElement().asString().contains("authority.pem");
  }

  private AdvancedTlsX509KeyManager install(String algorithm) throws Exception {
    installed = FIRST.get(algorithm).copiedTo(folder);
    return files.identity(installed.certificate(), installed.key());
  }

  private static void replace(Path by, Path file) throws IOException {
    Files.move(by, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static String alias(AdvancedTlsX509KeyManager keys) {
    return keys.chooseServerAlias("EC", null, null);
  }

  private static String subject(AdvancedTlsX509KeyManager keys) {
    return keys.getCertificateChain(alias(keys))[0].getSubjectX500Principal().getName();
  }
}
