package dev.tocsin.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * How much of this machine's CPU time its host gave to others: what a virtual machine that shares
 * its host has to know of its latencies. By the first line of Linux' {@code /proc/stat}: user,
 * nice, system, idle, iowait, irq, softirq and steal, in ticks of all CPUs since the start
 * (proc(5)).
 */
final class StolenTime {
  private static final Path STAT = Path.of("/proc/stat");
  private static final int FIELDS = 8;
  private static final int STEAL = 7;

  private final long[] before;

  private StolenTime(long[] before) {
    this.before = before;
  }

  static StolenTime start() throws IOException {
    return new StolenTime(read());
  }

  /** Since the start, as the end of a line; empty where the system does not say it. */
  String text() throws IOException {
    return text(before, read());
  }

  static String text(long[] before, long[] after) {
    long all = Arrays.stream(after).sum() - Arrays.stream(before).sum();
    return all == 0
        ? ""
        : String.format(
            Locale.ROOT,
            ", %.1f %% of the CPUs' time stolen by the host",
            100.0 * (after[STEAL] - before[STEAL]) / all);
  }

  private static long[] read() throws IOException {
    if (!Files.exists(STAT)) {
      return new long[FIELDS];
    }
    String cpu = Files.readAllLines(STAT).get(0);
    return Arrays.stream(cpu.strip().split(" +"))
        .skip(1)
        .limit(FIELDS)
        .mapToLong(Long::parseLong)
        .toArray();
  }
}
