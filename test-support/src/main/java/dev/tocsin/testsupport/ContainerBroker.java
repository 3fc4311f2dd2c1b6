package dev.tocsin.testsupport;

import com.github.dockerjava.api.command.CreateContainerCmd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.utils.AppInfoParser;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.utility.DockerImageName;

/** A broker in a container, of the version that the clients have. Ends with the JVM. */
final class ContainerBroker {
  static final String IMAGE = "apache/kafka:" + AppInfoParser.getVersion();

  /** As the project's own has them: tests must not meet another Kafka here than there. */
  private static final Map<String, String> SETTINGS =
      Map.of(
          "KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false",
          "KAFKA_MESSAGE_MAX_BYTES", Integer.toString((6 << 20) + (64 << 10)),
          "KAFKA_REPLICA_FETCH_MAX_BYTES", Integer.toString((6 << 20) + (64 << 10)),
          "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "4",
          "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS", "4",
          "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0");

  /** A container whose JVM was killed ends by itself, after longer than any test run. */
  private static final Duration LIFE_MAX = Duration.ofHours(2);

  private static final Duration START_MAX = Duration.ofMinutes(2);
  private static final Duration ANSWER_MAX = Duration.ofSeconds(15);
  private static final Duration PULL_MAX = Duration.ofMinutes(3);

  private ContainerBroker() {}

  /**
   * Why there can be none; empty if Docker answers and has the image, or could get it. Asked by the
   * docker command: Testcontainers itself tries for minutes where no registry can be reached.
   */
  static Optional<String> unavailable() {
    Optional<String> absent = docker(ANSWER_MAX, "image", "inspect", IMAGE);
    return absent.isEmpty() ? absent : docker(PULL_MAX, "pull", "--quiet", IMAGE);
  }

  /** What docker says went wrong; empty if nothing did. */
  private static Optional<String> docker(Duration max, String... command) {
    List<String> line = new ArrayList<>(List.of("docker"));
    line.addAll(List.of(command));
    try {
      Path said = Files.createTempFile("docker", ".out");
      try {
        Process docker =
            new ProcessBuilder(line)
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        if (!docker.waitFor(max.toSeconds(), TimeUnit.SECONDS)) {
          docker.destroyForcibly();
          return Optional.of("docker " + command[0] + " takes too long");
        }
        return docker.exitValue() == 0
            ? Optional.empty()
            : Optional.of(Files.readString(said).strip());
      } finally {
        Files.delete(said);
      }
    } catch (IOException e) {
      return Optional.of("there is no docker command");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of("interrupted");
    }
  }

  /**
   * Starts it; where it is reached.
   *
   * @throws IllegalStateException if it does not come up
   */
  static String start() {
    KafkaContainer container =
        new KafkaContainer(DockerImageName.parse(IMAGE))
            .withEnv(SETTINGS)
            // By its port, not by a line of its log: what an image logs is its own affair.
            .waitingFor(Wait.forListeningPort().withStartupTimeout(START_MAX))
            .withCreateContainerCmdModifier(ContainerBroker::bounded);
    try {
      container.start();
    } catch (RuntimeException e) {
      container.stop();
      throw new IllegalStateException("no container of " + IMAGE + ": " + rootCause(e), e);
    }
    Runtime.getRuntime().addShutdownHook(new Thread(container::stop, "broker-container-end"));
    return container.getBootstrapServers();
  }

  private static void bounded(CreateContainerCmd container) {
    List<String> command = new ArrayList<>(List.of("timeout", Long.toString(LIFE_MAX.toSeconds())));
    command.addAll(List.of(Objects.requireNonNull(container.getCmd())));
    container.withCmd(command);
    Objects.requireNonNull(container.getHostConfig()).withAutoRemove(true);
  }

  private static String rootCause(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
  }
}
