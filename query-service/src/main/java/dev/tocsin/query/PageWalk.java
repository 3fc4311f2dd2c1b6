package dev.tocsin.query;

import dev.tocsin.proto.incidents.Incident;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;

/**
 * One page, merged from what the owners of all partitions find, newest first. Pure: it says what to
 * ask ({@link #asks}), is told what was found ({@link #take}), and knows when the page is done.
 *
 * <p>An owner may stop before the end of its index and says how far it came. Below that there may
 * be more, so an incident is final only while no partition is left that could still have a newer
 * one. Ids are compared as canonical text, which sorts as their bytes do.
 *
 * <p>Not thread-safe.
 */
final class PageWalk {
  /** So that a page fits into the 4 MiB that gRPC clients take unless told otherwise. */
  static final int PAGE_BYTES_MAX = (4 << 20) - (64 << 10);

  /** Above every id. */
  private static final String TOP = "g";

  /** Below every id. */
  private static final String BOTTOM = "";

  /** What is asked for beyond an even share, since shares are never even. */
  private static final int SHARE_SLACK = 8;

  private final int size;
  private final List<Cursor> cursors = new ArrayList<>();
  private final PriorityQueue<Cursor> heads =
      new PriorityQueue<>(Comparator.comparing(Cursor::head).reversed());
  private final List<Incident> page = new ArrayList<>();
  private int skip;
  private int bytes;
  private boolean full;
  private String last;

  /** What to ask one owner: matches below an id (empty for the newest), at most so many. */
  record Ask(int partition, Optional<String> below, int limit) {}

  /** How far one partition has been walked, and what was found there and not yet taken. */
  private static final class Cursor {
    final int partition;
    final Deque<Incident> found = new ArrayDeque<>();
    String floor;
    boolean ended;

    Cursor(int partition, String floor) {
      this.partition = partition;
      this.floor = floor;
    }

    /** Needs to be asked before anything older than its floor is final. */
    boolean open() {
      return found.isEmpty() && !ended;
    }

    String head() {
      return found.getFirst().getId();
    }
  }

  /**
   * A walk over {@code partitions}.
   *
   * @param skip how many matches come before the page
   * @param size of the page
   * @param below the id to begin below; empty for the newest
   */
  PageWalk(int partitions, int skip, int size, Optional<String> below) {
    this.skip = skip;
    this.size = size;
    for (int partition = 0; partition < partitions; partition++) {
      cursors.add(new Cursor(partition, below.orElse(TOP)));
    }
  }

  /** What to ask next, each partition at most once; empty when the page is done. */
  List<Ask> asks() {
    if (done()) {
      return List.of();
    }
    List<Cursor> open = cursors.stream().filter(Cursor::open).toList();
    // One more than the page holds tells whether another one follows.
    int wanted = Math.min(skip + size - page.size() + 1, ListQuery.SIZE_MAX + 1);
    int share = Math.min(wanted, 2 * wanted / open.size() + SHARE_SLACK);
    return open.stream()
        .map(cursor -> new Ask(cursor.partition, below(cursor.floor), share))
        .toList();
  }

  /**
   * What an owner found.
   *
   * @param found newest first
   * @param scannedTo the id down to which it walked; empty if it came to the end
   * @throws IllegalStateException if it did not get any further, which would go on for ever
   */
  void take(int partition, List<Incident> found, Optional<String> scannedTo) {
    Cursor cursor = cursors.get(partition);
    if (scannedTo.isPresent() && scannedTo.get().compareTo(cursor.floor) >= 0) {
      throw new IllegalStateException(
          "partition %d was asked below %s and walked to %s"
              .formatted(partition, cursor.floor, scannedTo.get()));
    }
    cursor.found.addAll(found);
    cursor.ended = scannedTo.isEmpty();
    scannedTo.ifPresent(id -> cursor.floor = id);
    if (!found.isEmpty()) {
      heads.add(cursor);
    }
  }

  /**
   * Moves what is final into the page. To be called when every answer of a round has been taken.
   */
  void merge() {
    String floor = floor();
    while (!full && !heads.isEmpty() && heads.peek().head().compareTo(floor) >= 0) {
      Cursor cursor = heads.poll();
      tell(cursor);
      if (!cursor.found.isEmpty()) {
        heads.add(cursor);
      } else if (cursor.open() && cursor.floor.compareTo(floor) > 0) {
        floor = cursor.floor;
      }
    }
  }

  private void tell(Cursor cursor) {
    Incident incident = cursor.found.getFirst();
    if (skip > 0) {
      skip--;
    } else if (!page.isEmpty() && bytes + incident.getSerializedSize() > PAGE_BYTES_MAX) {
      full = true;
      return;
    } else {
      page.add(incident);
      bytes += incident.getSerializedSize();
      full = page.size() == size;
    }
    last = incident.getId();
    cursor.found.removeFirst();
  }

  /** The newest id down to which an open partition has been walked; below every id if none is. */
  private String floor() {
    return cursors.stream()
        .filter(Cursor::open)
        .map(cursor -> cursor.floor)
        .max(Comparator.naturalOrder())
        .orElse(BOTTOM);
  }

  /** Whether the page is what it has to be, and it is known whether another one follows. */
  boolean done() {
    return (full && !heads.isEmpty()) || cursors.stream().noneMatch(Cursor::open);
  }

  /** The page so far, newest first. */
  List<Incident> page() {
    return page;
  }

  /** The id below which the next page begins; empty if this one is the last. */
  Optional<String> nextBelow() {
    return full && !heads.isEmpty() ? Optional.of(last) : below(floor());
  }

  private static Optional<String> below(String floor) {
    return floor.equals(TOP) || floor.equals(BOTTOM) ? Optional.empty() : Optional.of(floor);
  }
}
