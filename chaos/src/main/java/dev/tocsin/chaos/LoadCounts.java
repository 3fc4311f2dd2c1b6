package dev.tocsin.chaos;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** What was sent, asked and told. Thread-safe. */
final class LoadCounts {
  final AtomicInteger groups = new AtomicInteger();
  final AtomicLong sent = new AtomicLong();
  final AtomicLong acked = new AtomicLong();
  final AtomicLong refused = new AtomicLong();
  final AtomicLong again = new AtomicLong();
  final AtomicLong unknown = new AtomicLong();
  final AtomicLong broken = new AtomicLong();
  final AtomicLong commands = new AtomicLong();
  final AtomicLong commandsAgain = new AtomicLong();
  final AtomicLong silences = new AtomicLong();
  final AtomicLong fresh = new AtomicLong();
  final AtomicLong stale = new AtomicLong();
  final AtomicLong unavailable = new AtomicLong();
  final AtomicLong events = new AtomicLong();
  final AtomicLong resumed = new AtomicLong();
}
