package dev.tocsin.benchmarks;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A reference is not installed. The message says what is missing and how to get it. */
final class MissingProgramException extends IOException {
  /** Something else than a program on the PATH. */
  MissingProgramException(String message) {
    super(message);
  }

  private MissingProgramException(List<String> programs) {
    this(
        "%s not on the PATH; on Debian or Ubuntu: apt-get install %s"
            .formatted(
                String.join(" and ", programs) + (programs.size() == 1 ? " is" : " are"),
                String.join(" ", programs)));
  }

  /** Sees that they are on the PATH; each is a package of Debian of the same name. */
  static void require(String... programs) throws MissingProgramException {
    List<String> missing = Arrays.stream(programs).filter(program -> !isOnPath(program)).toList();
    if (!missing.isEmpty()) {
      throw new MissingProgramException(missing);
    }
  }

  private static boolean isOnPath(String program) {
    return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }
}
