package dev.tocsin.benchmarks;

import dev.tocsin.processor.LogTopics;
import dev.tocsin.schemas.Topics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How long a processor that was killed takes until it answers for all its incidents again, against
 * how long a plain consumer takes to read the changelog that it restores them from.
 */
final class RestoreBench {
  private static final int INCIDENTS = 1_000_000;
  private static final double MIB = 1 << 20;

  private final EdgeStand stand;
  private final Rounds rounds;

  RestoreBench(EdgeStand stand, Rounds rounds) {
    this.stand = stand;
    this.rounds = rounds;
  }

  BenchResult run() throws IOException, InterruptedException {
    long incidents = rounds.work(INCIDENTS);
    Topics topics = new Topics("restore", "g1");
    LogTopics.create(stand.kafka(), topics, EdgeStand.PARTITIONS, 1);
    new Backlog(stand.kafka(), topics.log(), Optional.empty(), EdgeStand.PARTITIONS)
        .write(new DistinctAlerts(), incidents);
    Path state = stand.newFolder("state");
    ChangelogRead changelog =
        new ChangelogRead(
            stand.kafka(), topics.applicationId() + "-state-changelog", EdgeStand.PARTITIONS);
    List<BenchResult.Round> measured = new ArrayList<>();
    List<Double> seconds = new ArrayList<>();
    Map<String, Double> figures = new LinkedHashMap<>();
    ProcessorProcess processor = ProcessorProcess.start(stand, topics, state);
    try {
      processor.awaitApplied(incidents);
      for (int round = 1; round <= rounds.count(); round++) {
        processor.kill();
        ChangelogRead.Found read = changelog.read();
        long fromNs = System.nanoTime();
        processor = ProcessorProcess.start(stand, topics, state);
        seconds.add((System.nanoTime() - fromNs) / 1e9);
        processor.awaitApplied(incidents);
        measured.add(
            new BenchResult.Round(incidents / seconds.get(round - 1), incidents / read.seconds()));
        figures.put("changelog_mib", changelog.storedBytes() / MIB);
        figures.put("changelog_records", (double) read.records());
        figures.put("changelog_bytes_an_incident", (double) read.bytes() / incidents);
        rounds
            .progress()
            .printf(
                "restore, round %d of %d: %.1f s; %.1f s to read %,d records of the changelog%n",
                round, rounds.count(), seconds.get(round - 1), read.seconds(), read.records());
      }
    } finally {
      processor.close();
    }
    figures.put(
        "restore_s", BenchResult.median(seconds.stream().mapToDouble(each -> each).toArray()));
    return BenchResult.of("restore", "incidents/s", measured, Double.NaN, Double.NaN).with(figures);
  }
}
