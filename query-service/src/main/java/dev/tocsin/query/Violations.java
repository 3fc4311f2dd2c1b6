package dev.tocsin.query;

import com.google.rpc.BadRequest.FieldViolation;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.runtime.Errors;
import java.util.ArrayList;
import java.util.List;

/** What is wrong with one request, all of it, by field path. Not thread-safe. */
final class Violations {
  /** A request of 4 MiB can be wrong in millions of places; the first of them do. */
  private static final int KEPT_MAX = 1_000;

  private final List<FieldViolation> found = new ArrayList<>();

  void add(String field, String what) {
    if (found.size() < KEPT_MAX) {
      found.add(Errors.violation(field, what));
    }
  }

  /** Checks a position that is to be waited for, in a log of {@code partitions}. */
  void checkPosition(String path, Position position, int partitions) {
    if (position.getPartition() < 0 || position.getPartition() >= partitions) {
      add(path + ".partition", "there is no partition " + position.getPartition());
    }
    if (position.getOffset() < 0) {
      add(path + ".offset", "must not be negative");
    }
    if (position.getIndex() < 0) {
      add(path + ".index", "must not be negative");
    }
  }

  boolean none() {
    return found.isEmpty();
  }

  /** Ends the request with INVALID_ARGUMENT if anything is wrong. */
  void raise() {
    if (!found.isEmpty()) {
      throw Errors.invalid(found);
    }
  }

  /** The same, under a message of its own. */
  void raise(String message) {
    if (!found.isEmpty()) {
      throw Errors.invalid(message, found);
    }
  }
}
