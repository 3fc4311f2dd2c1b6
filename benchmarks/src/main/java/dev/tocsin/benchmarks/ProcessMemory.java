package dev.tocsin.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a process has resident, by Linux' {@code /proc/PID/status} (proc(5)). */
final class ProcessMemory {
  private ProcessMemory() {}

  /** The most that it ever had, in MiB. */
  static double residentPeakMib(long pid) throws IOException {
    return mib(pid, "VmHWM");
  }

  /** What it has now, in MiB. */
  static double residentMib(long pid) throws IOException {
    return mib(pid, "VmRSS");
  }

  private static double mib(long pid, String name) throws IOException {
    Path status = Path.of("/proc", Long.toString(pid), "status");
    if (!Files.exists(status)) {
      throw new IOException("there is no " + status + ": this row needs Linux");
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith(name + ":"))
        .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024)
        .findFirst()
        .orElseThrow(() -> new IOException("no " + name + " in " + status));
  }
}
