package dev.tocsin.query;

import dev.tocsin.proto.state.Owner;
import dev.tocsin.proto.state.Owners;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Who owns which partition, at one moment. Immutable.
 *
 * <p>Where two instances claim a partition, as they may for a moment while it moves, the one told
 * last has it: the other answers UNAVAILABLE if asked.
 */
final class Assignment {
  /** Before anybody has told. */
  static final Assignment UNKNOWN = new Assignment(0);

  private final String[] active;
  private final List<List<String>> standby = new ArrayList<>();

  private Assignment(int partitions) {
    active = new String[partitions];
    for (int i = 0; i < partitions; i++) {
      standby.add(new ArrayList<>());
    }
  }

  static Assignment of(Owners owners) {
    Assignment assignment = new Assignment(Math.max(0, owners.getPartitions()));
    owners.getOwnersList().forEach(assignment::take);
    return assignment;
  }

  private void take(Owner owner) {
    for (int partition : owner.getActiveList()) {
      if (has(partition)) {
        active[partition] = owner.getAddress();
      }
    }
    for (int partition : owner.getStandbyList()) {
      if (has(partition)) {
        standby.get(partition).add(owner.getAddress());
      }
    }
  }

  private boolean has(int partition) {
    return partition >= 0 && partition < active.length;
  }

  /** False as long as nobody has told: then there are no partitions. */
  boolean known() {
    return active.length > 0;
  }

  /** The log's partitions in all. */
  int partitions() {
    return active.length;
  }

  /** Where the partition's owner answers; empty while it has none. */
  Optional<String> owner(int partition) {
    return has(partition) ? Optional.ofNullable(active[partition]) : Optional.empty();
  }

  /** Where its standbys are. */
  List<String> standbys(int partition) {
    return has(partition) ? List.copyOf(standby.get(partition)) : List.of();
  }

  /** The addresses of all owners and standbys. */
  Set<String> addresses() {
    Set<String> addresses = new LinkedHashSet<>(Arrays.asList(active));
    standby.forEach(addresses::addAll);
    addresses.remove(null);
    return addresses;
  }

  /** The partitions that nobody owns. */
  List<Integer> orphans() {
    List<Integer> orphans = new ArrayList<>();
    for (int partition = 0; partition < active.length; partition++) {
      if (active[partition] == null) {
        orphans.add(partition);
      }
    }
    return orphans;
  }
}
