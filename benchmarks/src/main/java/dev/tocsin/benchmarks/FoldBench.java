package dev.tocsin.benchmarks;

import dev.tocsin.broker.ChildJvm;
import dev.tocsin.processor.LogTopics;
import dev.tocsin.schemas.Topics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * How many alerts a second the processor folds from a backlog, against a job that reads the same
 * alerts one a record, with as many threads and as much heap: a count by fingerprint that Kafka
 * Streams does as it comes, with as many commits; or the same in Flink. Each round folds the whole
 * log into a new generation, and does all of the reference's anew.
 */
final class FoldBench {
  /**
   * The second half of them is measured, so that the JIT compiler is through with what comes at
   * first: it works for half a minute, of which a load that is folded fast would be most.
   */
  static final int FAST_ALERTS = 12_000_000;

  /** The same where ours or the reference takes longer. */
  static final int SLOW_ALERTS = 4_000_000;

  private final EdgeStand stand;
  private final Rounds rounds;

  /** What the processor is measured against. */
  interface Reference {
    /**
     * A command that does the job on a topic and does not end; what is done it commits.
     *
     * @param group under which it commits, and a name for what it makes
     */
    List<String> command(String topic, String group, Path folder)
        throws IOException, InterruptedException;
  }

  FoldBench(EdgeStand stand, Rounds rounds) {
    this.stand = stand;
    this.rounds = rounds;
  }

  /** Against the count by Kafka Streams. */
  BenchResult run(String load, long alerts, Supplier<AlertSource> source)
      throws IOException, InterruptedException {
    return run(load, alerts, source, this::count);
  }

  /** Against the same in Flink, on the storm. */
  BenchResult flink() throws IOException, InterruptedException {
    Path jar = FlinkJob.require();
    return run(
        "flink",
        SLOW_ALERTS,
        () -> new StormAlerts(1, ""),
        (topic, group, folder) -> {
          FlinkJob job = new FlinkJob(jar, topic, group, folder);
          try (Admin admin = Admin.create(Map.<String, Object>copyOf(stand.kafka()))) {
            create(admin, job.events());
          }
          return job.command(stand.bootstrap(), ServerProcess.FLAGS, ProcessorProcess.THREADS);
        });
  }

  private BenchResult run(
      String load, long whole, Supplier<AlertSource> source, Reference reference)
      throws IOException, InterruptedException {
    String name = "processor-" + load;
    String single = load + ".single";
    long alerts = rounds.work(whole);
    List<BenchResult.Round> measured = new ArrayList<>();
    try (Admin admin = Admin.create(Map.<String, Object>copyOf(stand.kafka()))) {
      Topics topics = generation(load, 1);
      create(admin, single);
      new Backlog(stand.kafka(), topics.log(), Optional.of(single), EdgeStand.PARTITIONS)
          .write(source.get(), alerts);
      GroupProgress log = new GroupProgress(admin, topics.log(), EdgeStand.PARTITIONS);
      GroupProgress records = new GroupProgress(admin, single, EdgeStand.PARTITIONS);
      for (int round = 1; round <= rounds.count(); round++) {
        String group = name + "-reference-" + round;
        Path folder = stand.newFolder("reference");
        List<String> command = reference.command(single, group, folder);
        double theirs = alerts * run(records, group, folder, command);
        double ours = alerts * fold(log, generation(load, round));
        measured.add(new BenchResult.Round(ours, theirs));
        rounds
            .progress()
            .printf(
                "%s, round %d of %d: %,.0f against %,.0f alerts/s%n",
                name, round, rounds.count(), ours, theirs);
      }
    }
    return BenchResult.of(name, "alerts/s", measured, Double.NaN, Double.NaN);
  }

  /** The topics of a generation, which are made if they are missing. */
  private Topics generation(String load, int number) throws IOException {
    Topics topics = new Topics("fold-" + load, "g" + number);
    LogTopics.create(stand.kafka(), topics, EdgeStand.PARTITIONS, 1);
    return topics;
  }

  private static void create(Admin admin, String topic) throws IOException, InterruptedException {
    try {
      admin.createTopics(List.of(new NewTopic(topic, EdgeStand.PARTITIONS, (short) 1))).all().get();
    } catch (ExecutionException e) {
      throw new IOException(e);
    }
  }

  private List<String> count(String topic, String application, Path folder) throws IOException {
    return ChildJvm.command(
        StockCount.class.getName(),
        ServerProcess.FLAGS,
        List.of(
            stand.bootstrap(),
            application,
            topic,
            folder.toString(),
            Integer.toString(ProcessorProcess.THREADS),
            Integer.toString(ProcessorProcess.COMMIT_MS)));
  }

  private double fold(GroupProgress progress, Topics topics)
      throws IOException, InterruptedException {
    Path folder = stand.newFolder("processor");
    List<String> all = new ArrayList<>(ProcessorProcess.settings(topics, stand, 0));
    all.add("kafka.bootstrap.servers=" + stand.bootstrap());
    Path settings = Files.write(folder.resolve("processor.properties"), all);
    return run(
        progress,
        topics.applicationId(),
        folder,
        ChildJvm.command(ProcessorProcess.MAIN, ServerProcess.FLAGS, List.of(settings.toString())));
  }

  private double run(GroupProgress progress, String group, Path folder, List<String> command)
      throws IOException, InterruptedException {
    Path said = folder.resolve("said.log");
    Process process =
        stand.start(
            new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile()));
    try {
      return progress.awaitEnd(group, process);
    } catch (IOException e) {
      throw new IOException(e.getMessage() + ": " + Files.readString(said), e);
    } finally {
      ChildProcess.stop(process);
    }
  }
}
