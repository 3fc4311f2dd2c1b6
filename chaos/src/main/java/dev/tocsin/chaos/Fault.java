package dev.tocsin.chaos;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * What is done to the parts. A fault is injected, held for a while, and ended; then all must heal.
 * Times are such that each goes beyond the session and transaction time-outs of {@link Cluster}, or
 * surely stays below.
 */
enum Fault {
  KILL_PROCESSOR("kill -9 of a processor, which is started anew at once", 0, 0) {
    @Override
    void inject(Scene scene) throws Exception {
      scene.processor().kill();
    }

    @Override
    void end(Scene scene) throws Exception {
      scene.processor().start();
    }
  },
  LOSE_PROCESSOR(
      "kill -9 of a processor, which stays away until others have its partitions", 8, 12) {
    @Override
    void inject(Scene scene) throws Exception {
      scene.processor().kill();
    }

    @Override
    void end(Scene scene) throws Exception {
      scene.processor().start();
    }
  },
  LOSE_STATE("kill -9 of a processor, whose state folder is deleted", 0, 0) {
    @Override
    void inject(Scene scene) throws Exception {
      scene.processor().kill();
      Cluster.remove(scene.cluster().state(scene.processor()));
    }

    @Override
    void end(Scene scene) throws Exception {
      scene.processor().start();
    }
  },
  PAUSE_PROCESSOR("SIGSTOP of a processor for less than its session", 1, 3) {
    @Override
    void inject(Scene scene) throws Exception {
      scene.processor().stop();
    }

    @Override
    void end(Scene scene) throws Exception {
      scene.processor().goOn();
    }
  },
  // 4 s of a transaction, and the 10 s in which Kafka looks for those that are over.
  ZOMBIE("SIGSTOP of a processor past its session and its transaction, then SIGCONT", 15, 18) {
    @Override
    void inject(Scene scene) throws Exception {
      scene.processor().stop();
    }

    @Override
    void end(Scene scene) throws Exception {
      scene.processor().goOn();
    }
  },
  ROLL("SIGTERM of each part and its restart, one after the other", 0, 0) {
    @Override
    void inject(Scene scene) {
      // What it takes is the restart itself.
    }

    @Override
    void end(Scene scene) throws Exception {
      for (Member each : scene.cluster().members()) {
        each.terminate();
        each.start();
        scene.healing().await("the restart of " + each.name());
      }
    }
  },
  SCALE("one processor fewer, by SIGTERM, until the others have all; then it is back", 0, 2) {
    @Override
    void inject(Scene scene) throws Exception {
      scene.processor().terminate();
      scene.healing().await("one processor fewer");
    }

    @Override
    void end(Scene scene) throws Exception {
      scene.processor().start();
    }
  },
  KILL_EDGE("kill -9 of the edge", 0, 2) {
    @Override
    void inject(Scene scene) throws Exception {
      scene.cluster().edge().kill();
    }

    @Override
    void end(Scene scene) throws Exception {
      scene.cluster().edge().start();
    }
  },
  KILL_QUERY("kill -9 of the query-service", 0, 2) {
    @Override
    void inject(Scene scene) throws Exception {
      scene.cluster().query().kill();
    }

    @Override
    void end(Scene scene) throws Exception {
      scene.cluster().query().start();
    }
  },
  PAUSE_BROKER("SIGSTOP of the broker", 2, 9) {
    @Override
    void inject(Scene scene) throws Exception {
      scene.cluster().stopBroker();
    }

    @Override
    void end(Scene scene) throws Exception {
      scene.cluster().continueBroker();
    }
  },
  KILL_BROKER("kill -9 of the broker, which is started anew on its folder", 0, 3) {
    @Override
    void inject(Scene scene) {
      scene.cluster().killBroker();
    }

    @Override
    void end(Scene scene) throws IOException {
      scene.cluster().startBroker();
    }
  },
  CORRUPT_RECORD("records that nobody can read, on the log: dead letters", 0, 0) {
    @Override
    void inject(Scene scene) throws Exception {
      int partition = scene.pick() % Cluster.PARTITIONS;
      for (RawLog.Damage damage : RawLog.Damage.values()) {
        RawLog.Corrupt appended = scene.rawLog().append(damage, partition);
        scene.healing().awaitApplied("a corrupt record", Map.of(partition, appended.offset()));
        partition = (partition + 1) % Cluster.PARTITIONS;
      }
    }

    @Override
    void end(Scene scene) {
      // It stays on the log for good.
    }
  },
  OPEN_TRANSACTION("somebody's transaction on the log, open for a while and then aborted", 2, 6) {
    @Override
    void inject(Scene scene) throws Exception {
      scene.rawLog().begin(scene.pick() % Cluster.PARTITIONS);
    }

    @Override
    void end(Scene scene) {
      scene.rawLog().abort();
    }
  };

  /**
   * What a fault is done to.
   *
   * @param pick chooses among what is alike; not negative
   */
  record Scene(Cluster cluster, RawLog rawLog, Healing healing, int pick) {
    Member processor() {
      List<Member> all = cluster.processors();
      return all.get(pick % all.size());
    }
  }

  private final String what;
  private final int holdSecondsMin;
  private final int holdSecondsMax;

  Fault(String what, int holdSecondsMin, int holdSecondsMax) {
    this.what = what;
    this.holdSecondsMin = holdSecondsMin;
    this.holdSecondsMax = holdSecondsMax;
  }

  /** As the command line names it. */
  String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  String what() {
    return what;
  }

  /** How long it is held, in ms. */
  int holdMs(Random random) {
    return 1_000 * holdSecondsMin + random.nextInt(1_000 * (holdSecondsMax - holdSecondsMin) + 1);
  }

  /** Begins. Returns when it has. */
  abstract void inject(Scene scene) throws Exception;

  /** Ends it, so that all can heal. */
  abstract void end(Scene scene) throws Exception;
}
