package dev.tocsin.benchmarks;

import dev.tocsin.proto.alerts.AlertBatch;
import dev.tocsin.proto.alerts.AlertMessage;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The storm in batches of a hundred, without an end: the same batches over and over, but each alert
 * with an id that was not before, except where the storm sends one again. The batches are encoded
 * beforehand, and only the digits of their ids are changed. Not thread-safe.
 */
final class StormBatches {
  private static final int BATCHES = 250;
  private static final int DIGITS = 12;

  /** An encoded batch, where the digits of each id begin in it, and which number each has. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Template(byte[] bytes, int[] at, long[] numbers) {}

  private final List<Template> templates = new ArrayList<>();
  private long ids;
  private long before;
  private int next;

  /** Other streams have other alerts and other ids. */
  StormBatches(int stream) {
    StormAlerts storm = new StormAlerts(stream, "");
    String prefix = "s" + stream + "-";
    for (int i = 0; i < BATCHES; i++) {
      AlertBatch.Builder batch = AlertBatch.newBuilder().setBatchId(Integer.toString(i));
      long[] numbers = new long[EdgeRequests.BATCH];
      for (int j = 0; j < EdgeRequests.BATCH; j++) {
        AlertMessage alert = storm.next();
        numbers[j] = Long.parseLong(alert.getAlertId());
        ids = Math.max(ids, numbers[j] + 1);
        batch.addAlerts(alert.toBuilder().setAlertId(prefix + digits(numbers[j])));
      }
      templates.add(template(batch.build().toByteArray(), prefix, numbers));
    }
  }

  /** The next batch. */
  byte[] next() {
    Template template = templates.get(next);
    byte[] batch = template.bytes().clone();
    for (int i = 0; i < template.at().length; i++) {
      putDigits(batch, template.at()[i], before + template.numbers()[i]);
    }
    next++;
    if (next == templates.size()) {
      next = 0;
      before += ids;
    }
    return batch;
  }

  private static Template template(byte[] bytes, String prefix, long[] numbers) {
    int[] at = new int[numbers.length];
    int from = 0;
    for (int i = 0; i < numbers.length; i++) {
      byte[] id = (prefix + digits(numbers[i])).getBytes(StandardCharsets.US_ASCII);
      from = find(bytes, id, from) + id.length;
      at[i] = from - DIGITS;
    }
    return new Template(bytes, at, numbers);
  }

  private static int find(byte[] in, byte[] what, int from) {
    for (int at = from; at <= in.length - what.length; at++) {
      int same = 0;
      while (same < what.length && in[at + same] == what[same]) {
        same++;
      }
      if (same == what.length) {
        return at;
      }
    }
    throw new IllegalStateException("an id is not in its own batch");
  }

  private static void putDigits(byte[] to, int at, long number) {
    long rest = number;
    for (int i = DIGITS - 1; i >= 0; i--) {
      to[at + i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
  }

  private static String digits(long number) {
    byte[] digits = new byte[DIGITS];
    putDigits(digits, 0, number);
    return new String(digits, StandardCharsets.US_ASCII);
  }
}
