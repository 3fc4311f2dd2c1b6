package dev.tocsin.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

/** The short form: one fault of each of a few kinds, and everything that is checked at the end. */
class ChaosMainIT {
  private final PrintStream out = System.out;
  private final PrintStream err = System.err;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  @AfterEach
  void restore() {
    System.setOut(out);
    System.setErr(err);
  }

  @Test
  @Timeout(600)
  void chaos_findsNoDifference() {
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));

    int status =
        ChaosMain.commandLine()
            .execute(
                "--processors=2",
                "--rate=40",
                "--seed=1",
                "--faults=3",
                "--kinds=kill-processor,zombie,kill-broker");

    assertThat(status).as(this::said).isZero();
    assertThat(said())
        .containsPattern("kill-processor +1 ")
        .containsPattern("zombie +1 ")
        .containsPattern("kill-broker +1 ")
        .contains("no difference");
    assertThat(ProcessHandle.current().children().filter(ChaosMainIT::isJava)).isEmpty();
  }

  @Test
  void wrongUsage_isTwo() {
    System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));

    assertThat(ChaosMain.commandLine().execute("--kinds", "zombi"))
        .isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(said()).contains("no such fault: 'zombi'").contains("kill-broker");
    assertThat(ChaosMain.commandLine().execute("--minutes", "0", "--processors", "4"))
        .isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(said()).contains("--minutes must be").contains("--processors must be");
  }

  private String said() {
    return printed.toString(StandardCharsets.UTF_8);
  }

  /** By its program: of its command line the system tells only the beginning. */
  private static boolean isJava(ProcessHandle child) {
    return child.info().command().filter(program -> program.endsWith("/java")).isPresent();
  }
}
