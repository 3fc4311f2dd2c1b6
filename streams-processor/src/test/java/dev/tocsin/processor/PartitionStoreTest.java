package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.AlertEffect;
import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.DigestSum;
import dev.tocsin.engine.Fold;
import dev.tocsin.engine.FoldStore;
import dev.tocsin.engine.Lifecycle;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.engine.Receipt;
import dev.tocsin.engine.ReceiptMemory;
import dev.tocsin.engine.Stamper;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.RulesActivated;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.utils.Bytes;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The store on RocksDB keeps the contract, and its readers see one moment. */
class PartitionStoreTest implements FoldStoreContract {
  /** So few that most of what is read was let go of before. */
  private static final long CACHE_BYTES = 8 << 10;

  private final DiskStore disk = new DiskStore();
  private PartitionStore store = new PartitionStore(disk.bytes(), () -> CACHE_BYTES);

  @AfterEach
  void close() {
    disk.close();
  }

  @Override
  public FoldStore store() {
    return store;
  }

  @Override
  public void reopen() {
    store = new PartitionStore(disk.bytes(), () -> CACHE_BYTES);
  }

  @Override
  public void flush() {
    store.flush();
    assertThat(store.dirty()).isZero();
  }

  @Override
  public DigestSum digest() {
    return digest(store);
  }

  @Test
  void receipts_areFoundByTheirAlert_alsoOnceReopened() {
    Alert alert = TestLog.alert("a", "db", "slow");
    apply(7, alert);
    assertThat(sighting(alert).offset()).isEqualTo(7);
    store.flush();
    reopen();
    assertThat(sighting(alert).offset()).isEqualTo(7);
    assertThat(sighting(alert).effect()).isEqualTo(AlertEffect.OPENED);
  }

  @Test
  void receipts_thatSoftwareWithoutPositionsWroteOrDropped_leaveNothingBehind() {
    Alert alert = TestLog.alert("a", "db", "slow");
    apply(7, alert);
    store.flush();
    disk.bytes().delete(StateKeys.receiptPositions(0, 0));
    disk.bytes().put(StateKeys.receiptPositions(-1, 3), new byte[] {1});
    disk.bytes().put(StateKeys.receiptPositions(5, 0), new byte[] {1});
    reopen();
    assertThat(sighting(alert).effect()).isEqualTo(AlertEffect.UNKNOWN);
    assertThat(store.received(alert.getReceipt(), World.START_MS)).isTrue();
    apply(8, TestLog.alert("b", "db", "slow"));
    store.flush();
    assertThat(keys(StateKeys.RECEIPT_POSITIONS)).containsExactly(StateKeys.receiptPositions(0, 1));
    apply(9, World.START_MS + 7_200_000, TestLog.alert("c", "db", "slow"));
    store.flush();
    assertThat(keys(StateKeys.RECEIPTS)).containsExactly(StateKeys.receipts(1, 0));
    assertThat(keys(StateKeys.RECEIPT_POSITIONS)).containsExactly(StateKeys.receiptPositions(1, 0));
  }

  private void apply(long offset, Alert alert) {
    apply(offset, World.START_MS, alert);
  }

  private void apply(long offset, long atMs, Alert alert) {
    Fold fold = new Fold(store, event -> {});
    fold.apply(LogEntries.of(new RulesActivated(DefaultRules.read())), offset, atMs);
    fold.apply(LogEntries.of(new Alerts(1, List.of(alert))), offset, atMs);
  }

  private Receipt sighting(Alert alert) {
    return store
        .receipts()
        .find(Stamper.receiptAlert("default", "test", alert.getAlertId()), 1)
        .newest()
        .get(0);
  }

  private List<Bytes> keys(byte table) {
    List<Bytes> keys = new ArrayList<>();
    try (var range = disk.bytes().range(StateKeys.first(table), StateKeys.end(table))) {
      range.forEachRemaining(each -> keys.add(each.key));
    }
    keys.removeIf(key -> key.get()[0] != table); // a range has its end as well
    return keys;
  }

  /** As an entry does before which a day's worth is due. */
  @Test
  void entry_thatChangesMuchIsStoredAsItGoesOn() {
    int dirtyMax = 20;
    store =
        new PartitionStore(
            disk.bytes(), () -> CACHE_BYTES, dirtyMax, ReceiptMemory.HEAP, new StateCodecs());
    Fold fold = new Fold(store, event -> {});
    MemoryStore model = new MemoryStore();
    Fold modelFold = new Fold(model, event -> {});
    World world = new World(25);
    for (int offset = 0; offset < 600; offset++) {
      World.Entry next = world.next();
      fold.apply(next.entry(), offset, next.atMs());
      modelFold.apply(next.entry(), offset, next.atMs());
      assertThat(store.dirty()).isLessThan(dirtyMax);
    }
    store.flush();
    assertThat(digest(store).exact()).isEqualTo(model.digest().exact());
  }

  @Test
  void snapshot_laysWhatChangedOverWhatIsStored() {
    Fold fold = new Fold(store, event -> {});
    MemoryStore model = new MemoryStore();
    Fold modelFold = new Fold(model, event -> {});
    World world = new World(21);
    for (int offset = 0; offset < 600; offset++) {
      World.Entry next = world.next();
      fold.apply(next.entry(), offset, next.atMs());
      modelFold.apply(next.entry(), offset, next.atMs());
      if (offset == 300) {
        store.flush();
      }
    }
    assertThat(store.dirty()).isPositive();
    List<Incident> seen = new ArrayList<>();
    try (StoreSnapshot snapshot = store.snapshot()) {
      snapshot.forEach(each -> seen.add(each.incident()));
    }
    assertThat(seen).isEqualTo(List.copyOf(model.incidents()));
  }

  @Test
  void snapshot_staysAsItWasWhenTaken() {
    Fold fold = new Fold(store, event -> {});
    World world = new World(22);
    for (int offset = 0; offset < 300; offset++) {
      World.Entry next = world.next();
      fold.apply(next.entry(), offset, next.atMs());
    }
    String before = digest().exact();
    DigestSum sum = new DigestSum();
    try (StoreSnapshot snapshot = store.snapshot()) {
      for (int offset = 300; offset < 900; offset++) {
        World.Entry next = world.next();
        fold.apply(next.entry(), offset, next.atMs());
        if (offset % 100 == 0) {
          store.flush();
        }
      }
      snapshot.forEach(each -> sum.add(each.incident(), each.tally()));
      assertThat(snapshot.state().getAppliedOffset()).isEqualTo(300);
    }
    assertThat(sum.exact()).isEqualTo(before);
    assertThat(digest().exact()).isNotEqualTo(before);
  }

  @Test
  void walk_isEachWorkspacesIncidentsNewestFirst() {
    Fold fold = new Fold(store, event -> {});
    MemoryStore model = new MemoryStore();
    Fold modelFold = new Fold(model, event -> {});
    World world = new World(23);
    for (int offset = 0; offset < 800; offset++) {
      World.Entry next = world.next();
      fold.apply(next.entry(), offset, next.atMs());
      modelFold.apply(next.entry(), offset, next.atMs());
      if (offset % 70 == 0) {
        store.flush();
      }
    }
    for (String workspace : List.of("default", "w", "defaul", "none")) {
      assertThat(walked(workspace, true, true, null)).isEqualTo(ids(model, workspace, true, true));
      assertThat(walked(workspace, true, false, null))
          .isEqualTo(ids(model, workspace, true, false));
      assertThat(walked(workspace, false, true, null))
          .isEqualTo(ids(model, workspace, false, true));
    }
    List<Key128> all = ids(model, "default", true, true);
    assertThat(all).hasSizeGreaterThan(5);
    for (int i = 0; i < all.size(); i++) {
      assertThat(walked("default", true, true, all.get(i)))
          .isEqualTo(all.subList(i + 1, all.size()));
    }
  }

  @Test
  void readers_seeWholeIncidentsWhileTheFoldCommitsAndFlushes() {
    AtomicBoolean end = new AtomicBoolean();
    CompletableFuture<Integer> reader =
        CompletableFuture.supplyAsync(
            () -> {
              int reads = 0;
              while (!end.get()) {
                long applied;
                DigestSum sum = new DigestSum();
                try (StoreSnapshot snapshot = store.snapshot()) {
                  applied = snapshot.state().getAppliedOffset();
                  snapshot.forEach(each -> sum.add(each.incident(), each.tally()));
                }
                try (IndexWalk walk = store.walk("default", true, true, null)) {
                  assertThat(walk.state().getAppliedOffset()).isGreaterThanOrEqualTo(applied);
                  for (Key128 id = walk.next(); id != null; id = walk.next()) {
                    store
                        .read(id)
                        .ifPresent(
                            found ->
                                assertThat(found.tally().getOccurrences())
                                    .isGreaterThanOrEqualTo(found.incident().getDistinctAlerts()));
                  }
                }
                reads++;
              }
              return reads;
            });
    Fold fold = new Fold(store, event -> {});
    World world = new World(24);
    for (int offset = 0; offset < 1_500; offset++) {
      World.Entry next = world.next();
      fold.apply(next.entry(), offset, next.atMs());
      if (offset % 20 == 0) {
        store.flush();
      }
    }
    end.set(true);
    assertThat(reader.join()).isPositive();
  }

  private List<Key128> walked(String workspace, boolean open, boolean notOpen, Key128 before) {
    List<Key128> ids = new ArrayList<>();
    try (IndexWalk walk = store.walk(workspace, open, notOpen, before)) {
      for (Key128 id = walk.next(); id != null; id = walk.next()) {
        ids.add(id);
      }
    }
    return ids;
  }

  private static List<Key128> ids(
      MemoryStore model, String workspace, boolean open, boolean notOpen) {
    List<Key128> ids = new ArrayList<>();
    for (Incident incident : model.incidents()) {
      if (incident.getWorkspace().equals(workspace)
          && (Lifecycle.isOpen(incident) ? open : notOpen)) {
        ids.add(incident.getId());
      }
    }
    Collections.reverse(ids);
    return ids;
  }

  static DigestSum digest(PartitionStore store) {
    DigestSum sum = new DigestSum();
    try (StoreSnapshot snapshot = store.snapshot()) {
      snapshot.forEach(each -> sum.add(each.incident(), each.tally()));
    }
    return sum;
  }
}
