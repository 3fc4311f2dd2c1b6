package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompletionCommandTest {
  @TempDir Path folder;

  @Test
  void script_isOneForBothShells() {
    CommandRun bash = CommandRun.of("completion", "bash");
    assertThat(bash.exitCode()).isZero();
    assertThat(bash.err()).isEmpty();
    assertThat(bash.out()).contains("complete -F _complete_tocsin", " tocsin ", "bashcompinit");
    assertThat(CommandRun.of("completion", "zsh").out()).isEqualTo(bash.out());
  }

  @Test
  void script_completesCommandsAndOptionsInBash() throws Exception {
    Path script =
        Files.writeString(folder.resolve("tocsin"), CommandRun.of("completion", "bash").out());
    assertThat(completions(script, "tocsin incident re")).contains("resolve");
    assertThat(completions(script, "./tocsin incident resolve --req")).contains("--request-id");
    assertThat(completions(script, "./tocsin cha")).contains("chaos");
    assertThat(completions(script, "./tocsin chaos --mi")).contains("--minutes");
  }

  @Test
  void otherShells_areRefused() {
    assertThat(CommandRun.of("completion", "fish").exitCode()).isEqualTo(2);
    assertThat(CommandRun.of("completion").exitCode()).isEqualTo(2);
  }

  /** What bash offers at the end of {@code line}. */
  private static String completions(Path script, String line)
      throws IOException, InterruptedException {
    Process bash =
        new ProcessBuilder(
                "bash",
                "-c",
                "source \"$1\"; read -ra COMP_WORDS <<<\"$2\"; COMP_LINE=$2; COMP_POINT=${#2};"
                    + " COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _complete_tocsin; printf '%s\\n' \"${COMPREPLY[@]}\"",
                "bash",
                script.toString(),
                line)
            .redirectErrorStream(true)
            .start();
    String out = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(bash.waitFor(10, TimeUnit.SECONDS)).isTrue();
    return out;
  }
}
