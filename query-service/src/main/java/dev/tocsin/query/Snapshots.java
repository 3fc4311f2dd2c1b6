package dev.tocsin.query;

import dev.tocsin.proto.state.SnapshotIncidentsResponse;
import io.grpc.Status;

/** Where a stream gets what is before its first event. Thread-safe. */
interface Snapshots {
  /** Who takes a snapshot; told in any thread, one thing at a time. Must not wait. */
  interface Taker {
    /** A part, after {@link Reading#next} has asked for one. */
    void part(SnapshotIncidentsResponse part);

    /** It ended: OK after its last part. The last thing that is told. */
    void ended(Status status);
  }

  /** A snapshot that is being taken. */
  interface Reading {
    /** Asks for one part more; the first one is asked for already. */
    void next();

    /** Ends it. */
    void cancel();
  }

  /** Begins to take a snapshot of one partition. Returns at once. */
  Reading open(int partition, StreamFilter filter, Taker taker);
}
