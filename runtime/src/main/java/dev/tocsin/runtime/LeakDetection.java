package dev.tocsin.runtime;

import io.grpc.netty.shaded.io.netty.util.ResourceLeakDetector;

/**
 * The transport's search for buffers that nobody released. By itself it follows one in 128 with a
 * stack trace for each, a fiftieth of what a busy edge does; here it runs where it is asked for.
 */
final class LeakDetection {
  /** {@code disabled}, {@code simple}, {@code advanced} or {@code paranoid}. */
  private static final String PROPERTY = "io.grpc.netty.shaded.io.netty.leakDetection.level";

  private LeakDetection() {}

  static void onlyIfAsked() {
    if (System.getProperty(PROPERTY) == null) {
      ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
    }
  }
}
