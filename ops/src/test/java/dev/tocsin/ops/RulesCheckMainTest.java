package dev.tocsin.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RulesCheckMainTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir Path folder;

  @Test
  void faultlessFile_isZero() throws IOException {
    Path file = file("{}");
    assertThat(run("", file.toString())).isZero();
    assertThat(out()).isEmpty();
    assertThat(err()).isEqualTo(file + ": no faults\n");
  }

  @Test
  void everyFault_isALine_withFileLineAndColumn() throws IOException {
    Path file = file("rule: []\ndefaults: {close_after: 1w}\n");
    assertThat(run("", file.toString())).isEqualTo(1);
    assertThat(out().lines())
        .satisfiesExactly(
            line -> assertThat(line).isEqualTo(file + ":1:1: rule: no such key; is it rules?"),
            line -> assertThat(line).startsWith(file + ":2:25: close_after: must be a duration"));
  }

  @Test
  void json_isAnObjectALine() {
    assertThat(run("\"a\\b\": 1", "--json", "-")).isEqualTo(1);
    assertThat(out())
        .startsWith("{\"file\":\"-\",\"line\":1,\"column\":1,\"message\":\"a\\u0008")
        .endsWith("\"}\n");
  }

  @Test
  void fileThatIsNotThere_orIsNoText_isOne() throws IOException {
    assertThat(run("", folder.resolve("none").toString())).isEqualTo(1);
    assertThat(err()).endsWith("none: no such file\n");
    Path binary = folder.resolve("binary");
    Files.write(binary, new byte[] {(byte) 0xC3, 0x28});
    assertThat(run("", binary.toString())).isEqualTo(1);
    assertThat(err()).endsWith("binary: is not UTF-8\n");
  }

  @Test
  void hugeFile_isRefused_withoutBeingReadWhole() throws IOException {
    assertThat(run("", file("# " + "ä".repeat(1 << 20)).toString())).isEqualTo(1);
    assertThat(out()).contains("at most 262144 are taken");
  }

  @Test
  void wrongCommandLine_isTwo() {
    assertThat(run("")).isEqualTo(2);
    assertThat(run("", "a", "b")).isEqualTo(2);
    assertThat(run("", "--colour", "-")).isEqualTo(2);
    assertThat(run("", "--colour")).isEqualTo(2);
    assertThat(err()).contains("Usage: tocsin rules check");
    assertThat(run("", "--help")).isZero();
    assertThat(out()).contains("Usage: tocsin rules check");
  }

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("rules.yaml"), text);
  }

  private int run(String in, String... args) {
    return RulesCheckMain.run(
        args,
        new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)),
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  private String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  private String err() {
    return err.toString(StandardCharsets.UTF_8);
  }
}
