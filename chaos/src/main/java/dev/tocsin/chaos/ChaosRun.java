package dev.tocsin.chaos;

import dev.tocsin.chaos.Fault.Scene;
import dev.tocsin.chaos.Schedule.Planned;
import dev.tocsin.proto.incidents.Incident;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * One run: starts all parts, puts load on them, injects one fault after another and waits until
 * each is healed, and at the end compares what there is with what there must be. To be run once.
 */
final class ChaosRun implements AutoCloseable {
  private static final Duration FOLLOW_MAX = Duration.ofSeconds(60);

  /** A tick may have to come first. */
  private static final Duration SILENCED_MAX = Duration.ofSeconds(30);

  /** What one incident tells of those that were merged into it. */
  private static final int MERGED_MAX = 100;

  /**
   * What is asked for.
   *
   * @param most no fault begins after this
   * @param faultsMax nor after so many
   */
  record Plan(
      Duration most, int faultsMax, long seed, int processors, int rate, Collection<Fault> kinds) {}

  private final Plan plan;
  private final PrintStream progress;
  private final Cluster cluster;
  private final Differences differences;
  private final LoadCounts counts = new LoadCounts();
  private final FaultTable table = new FaultTable();
  private final RawLog rawLog;
  private final CommandDesk desk;
  private final SilenceDesk silences;
  private final AlertLoad load;
  private final ReadProbe probe;
  private final EventFollower follower;
  private final Healing healing;
  private final long begunNanos = System.nanoTime();
  private volatile boolean closing;

  /** A run in {@code folder}, which is empty. */
  ChaosRun(Plan plan, Path folder, PrintStream progress) throws IOException {
    this.plan = plan;
    this.progress = progress;
    this.differences = new Differences(progress);
    this.cluster = new Cluster(folder, plan.processors());
    this.rawLog = new RawLog(cluster.bootstrap(), Cluster.TOPICS);
    Ways ways = new Ways(cluster.ways(), counts);
    this.desk = new CommandDesk(ways, differences, counts);
    this.silences = new SilenceDesk(ways, differences, counts);
    this.load =
        new AlertLoad(
            cluster.edge().channel(), desk, differences, counts, plan.rate(), plan.seed());
    this.probe = new ReadProbe(cluster.ways(), differences, counts, plan.seed());
    this.follower = new EventFollower(cluster.ways(), differences, counts);
    this.healing = new Healing(cluster, load, counts, each -> tell("%s", each));
  }

  /** What is not as it should be, so far. */
  Differences differences() {
    return differences;
  }

  /** Runs, and gives what is not as it should be. */
  Differences run() throws InterruptedException {
    try {
      cluster.start();
      healing.awaitServing("the start");
      follower.start(FOLLOW_MAX);
      load.start();
      silences.start();
      probe.start();
      healing.await("the start");
      tell("all parts are up");
      inject();
      load.close();
      silences.end();
      tell("the load has ended; comparing");
      healing.awaitServing("the end of the load");
      healing.awaitApplied("the end of the load", load.acked());
      probe.close();
      compare();
    } catch (NotHealedException | IOException | RuntimeException e) {
      differences.add("%s", e instanceof NotHealedException ? e.getMessage() : e);
    }
    return differences;
  }

  private void inject() throws InterruptedException, NotHealedException, IOException {
    Schedule schedule = new Schedule(plan.kinds(), plan.seed());
    long loadNanos = System.nanoTime();
    while (table.faults() < plan.faultsMax()
        && System.nanoTime() - loadNanos < plan.most().toNanos()) {
      inject(schedule.next());
    }
  }

  private void inject(Planned planned)
      throws InterruptedException, NotHealedException, IOException {
    Fault fault = planned.fault();
    Scene scene = new Scene(cluster, rawLog, healing, planned.pick());
    TimeUnit.MILLISECONDS.sleep(planned.pauseMs());
    tell("%s: %s", fault.label(), fault.what());
    long injected = System.nanoTime();
    try {
      fault.inject(scene);
      TimeUnit.MILLISECONDS.sleep(planned.holdMs());
      long ended = System.nanoTime();
      fault.end(scene);
      healing.await(fault.label());
      Duration recovery = Duration.ofNanos(System.nanoTime() - ended);
      table.add(fault, recovery);
      tell(
          "%s: healed after %.1f s, of which it lasted %.1f s",
          fault.label(),
          FaultTable.seconds(Duration.ofNanos(System.nanoTime() - injected)),
          FaultTable.seconds(Duration.ofNanos(ended - injected)));
    } catch (InterruptedException | NotHealedException | IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(fault.label() + " could not be injected", e);
    }
  }

  private void compare() throws InterruptedException, NotHealedException {
    new LogCheck(cluster, load.groups(), rawLog.corrupt(), follower, differences).run();
    new ModelCheck(differences).compare(load.groups(), groupsIncidents());
    new TransactionCheck(cluster.bootstrap()).open().forEach(each -> differences.add("%s", each));
  }

  /** All incidents but what groups' incidents were merged into, which is compared here. */
  private List<Incident> groupsIncidents() throws InterruptedException, NotHealedException {
    List<Incident> told = new ArrayList<>(silencedRightly());
    Optional<Incident> umbrella = desk.umbrella();
    if (umbrella.isPresent() && told.remove(umbrella.get())) {
      Set<String> expected = desk.merged();
      List<String> from = umbrella.get().getMergedFromList();
      if (!expected.containsAll(from) || from.size() != Math.min(expected.size(), MERGED_MAX)) {
        differences.add("what was merged is %s, and told is %s", expected, from);
      }
    }
    return told;
  }

  /** All incidents, once time has passed for each silence to have taken effect. */
  private List<Incident> silencedRightly() throws InterruptedException, NotHealedException {
    long untilNanos = System.nanoTime() + SILENCED_MAX.toNanos();
    List<Incident> told = ModelCheck.read(cluster.query().channel());
    while (silences.wrong(told).isPresent() && System.nanoTime() - untilNanos < 0) {
      TimeUnit.SECONDS.sleep(1);
      told = ModelCheck.read(cluster.query().channel());
    }
    silences.wrong(told).ifPresent(each -> differences.add("hidden or not, wrongly: %s", each));
    return told;
  }

  private void tell(String format, Object... values) {
    if (!closing) { // else what is missing has been ended
      progress.printf(
          Locale.ROOT,
          "%7.1f s  %s%n",
          FaultTable.seconds(Duration.ofNanos(System.nanoTime() - begunNanos)),
          String.format(Locale.ROOT, format, values));
    }
  }

  /** The table, and what there was of everything. */
  void print(PrintStream out) {
    table.print(out);
    out.printf(
        "alerts: %d sent in %d groups, %d acknowledged, %d refused as they had to be, %d unknown for good; %d sent again, %d streams broken%n",
        counts.sent.get(),
        counts.groups.get(),
        counts.acked.get(),
        counts.refused.get(),
        counts.unknown.get(),
        counts.again.get(),
        counts.broken.get());
    out.printf(
        "commands: %d, and %d silences; %d calls for them asked again%n",
        counts.commands.get(), counts.silences.get(), counts.commandsAgain.get());
    out.printf(
        "reads: %d by owners, %d by standbys, %d unavailable%n",
        counts.fresh.get(), counts.stale.get(), counts.unavailable.get());
    out.printf(
        "events: %d, over %d resumed streams; corrupt records: %d%n",
        counts.events.get(), counts.resumed.get(), rawLog.corrupt().size());
  }

  /** Ends every process by force. */
  @Override
  public void close() throws InterruptedException {
    closing = true;
    differences.end();
    load.giveUp();
    cluster.close();
    follower.close();
    probe.close();
    silences.close();
    desk.close();
  }
}
