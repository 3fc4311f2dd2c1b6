package dev.tocsin.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The processor's job in Flink, the module {@code benchmarks-flink}. It is built only where it is
 * asked for, and runs with a class path of its own: Flink's RocksDB and ours share their names.
 *
 * @param group under which it commits
 * @param folder for its state and its checkpoints
 */
record FlinkJob(Path jar, String topic, String group, Path folder) {
  private static final Duration CHECKPOINTS = Duration.ofSeconds(1);

  /**
   * Finds it.
   *
   * @throws MissingProgramException if it was never built
   */
  static Path require() throws MissingProgramException {
    Path home = Path.of(System.getProperty("tocsin.home", ""));
    Path jar = home.resolve(Path.of("benchmarks-flink", "target", "benchmarks-flink.jar"));
    if (!Files.exists(jar)) {
      throw new MissingProgramException(
          "the job in Flink is not built; ./tocsin bench processor-flink fetches what it needs and"
              + " builds it");
    }
    return jar;
  }

  /** The topic that it tells changes in, to be made before it starts. */
  String events() {
    return group + ".events";
  }

  /** The command; what Flink needs of the JDK's inside, the jar says. */
  List<String> command(String bootstrap, List<String> flags, int parallelism) {
    return ChildProcess.jar(
        jar,
        flags,
        List.of(
            bootstrap,
            group,
            topic,
            events(),
            folder.toString(),
            Integer.toString(parallelism),
            Long.toString(CHECKPOINTS.toMillis())));
  }
}
