package dev.tocsin.processor;

import dev.tocsin.proto.incidents.Staleness;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.PartitionState;
import java.util.Optional;

/** A partition's incidents as readers see them: the owner's, or a copy of them. Thread-safe. */
interface IncidentView {
  int partition();

  /** How far it is applied. What is read afterwards is as new or newer. */
  PartitionState state();

  Optional<Tallied> read(Key128 id);

  /**
   * A workspace's index entries, newest first, below {@code before} if that is not null; to be
   * closed.
   */
  IndexWalk walk(String workspace, boolean open, boolean notOpen, Key128 before);

  /** How far it is behind; empty if it is the owner's. */
  Optional<Staleness> staleness();
}
