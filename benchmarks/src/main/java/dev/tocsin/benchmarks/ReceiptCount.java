package dev.tocsin.benchmarks;

import dev.tocsin.engine.AlertEffect;
import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Receipt;
import dev.tocsin.engine.Receipts;
import dev.tocsin.processor.MappedMemory;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Rules;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * {@code ReceiptCount FOLDER COUNT PER_SECOND}: as many receipts as come in some time, of twelve
 * partitions, each looked for and then remembered, as the fold does; one in ten is looked for a
 * second time and has to be found. Prints what that took, a figure a line.
 */
final class ReceiptCount {
  private static final int PARTITIONS = 12;
  private static final int ENTRY_ALERTS = 100;
  private static final double MIB = 1 << 20;

  private ReceiptCount() {}

  public static void main(String[] args) throws IOException {
    long count = Long.parseLong(args[1]);
    long perSecond = Long.parseLong(args[2]);
    Rules rules = DefaultRules.read();
    rules.setReceiptsMax(Math.toIntExact(count / PARTITIONS * 2));
    MappedMemory memory = new MappedMemory(Path.of(args[0]));
    List<Receipts> partitions = new ArrayList<>();
    for (int i = 0; i < PARTITIONS; i++) {
      partitions.add(new Receipts(memory));
    }
    double heapBefore = heapMib();
    SplittableRandom random = new SplittableRandom(1);
    long fromNs = System.nanoTime();
    for (long i = 0; i < count; i++) {
      Receipts receipts = partitions.get((int) (i % PARTITIONS));
      long atMs = i * 1_000 / perSecond;
      Key128 key = key(random);
      check(!receipts.contains(key, atMs, rules), "one is known that never was");
      long entry = i / ENTRY_ALERTS;
      int index = (int) (i % ENTRY_ALERTS);
      receipts.add(new Receipt(key, entry, index, AlertEffect.REPEATED), atMs, rules);
      check(i % 10 > 0 || receipts.contains(key, atMs, rules), "one is not known");
    }
    double tookS = (System.nanoTime() - fromNs) / 1e9;
    long held = partitions.stream().mapToLong(Receipts::heldBytes).sum();
    System.out.printf(Locale.ROOT, "receipts_per_second %.0f%n", count / tookS);
    System.out.printf(Locale.ROOT, "bytes_a_receipt %.1f%n", (double) held / count);
    System.out.printf(Locale.ROOT, "held_mib %.0f%n", held / MIB);
    System.out.printf(Locale.ROOT, "heap_growth_mib %.0f%n", heapMib() - heapBefore);
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new IllegalStateException(what);
    }
  }

  private static Key128 key(SplittableRandom random) {
    return new Key128(
        ByteBuffer.allocate(16).putLong(random.nextLong()).putLong(random.nextLong()).array());
  }

  private static double heapMib() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / MIB;
  }
}
