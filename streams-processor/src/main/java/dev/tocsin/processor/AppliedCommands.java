package dev.tocsin.processor;

import dev.tocsin.engine.Outcomes;
import dev.tocsin.processor.CommandCounts.End;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Outcome;

/**
 * Notes what comes of a partition's commands as they are applied: counts it, and remembers which
 * were refused for want of room, since those have no outcome to be found later. The fold's thread
 * only.
 */
final class AppliedCommands {
  private final PartitionStore store;
  private final RefusedRequests refused;
  private final CommandCounts counts;

  AppliedCommands(PartitionStore store, RefusedRequests refused, CommandCounts counts) {
    this.store = store;
    this.refused = refused;
    this.counts = counts;
  }

  /** Has {@code fold} apply the entry. What that throws is thrown, and nothing noted. */
  void apply(LogEntry entry, Runnable fold) {
    Command command = entry.getCommand();
    if (command == null) {
      fold.run();
      return;
    }
    Key128 request = Outcomes.key(command.getWorkspace(), command.getRequestId());
    Outcome before = store.outcome(request);
    fold.run();
    note(command, request, before, store.outcome(request));
  }

  private void note(Command command, Key128 request, Outcome before, Outcome after) {
    if (after == null) {
      refused.add(request);
      counts.count(command, End.RESOURCE_EXHAUSTED);
    } else {
      refused.remove(request);
      counts.count(command, after.equals(before) ? End.REPEATED : End.of(after.getCode()));
    }
  }
}
