package dev.tocsin.processor;

import dev.tocsin.schemas.AddNote;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.CreateIncident;
import dev.tocsin.schemas.OutcomeCode;
import dev.tocsin.schemas.UpdateIncident;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.Map;

/**
 * Counts the commands that are folded, by what they ask for and what came of them: as many series
 * as there are kinds and outcomes, all there from the start. What is folded again after a crash is
 * counted again. Thread-safe.
 */
final class CommandCounts {
  /** What a command asks for. */
  enum Kind {
    CREATE,
    UPDATE,
    NOTE,
    /** Either of the two that a merge is. */
    MERGE,
    /** Of newer software. */
    OTHER;

    static Kind of(Command command) {
      if (command.getMerge() != null || command.getMergedFrom() != null) {
        return MERGE;
      }
      Object body = command.getBody();
      if (body instanceof CreateIncident) {
        return CREATE;
      }
      if (body instanceof UpdateIncident) {
        return UPDATE;
      }
      return body instanceof AddNote ? NOTE : OTHER;
    }
  }

  /** What came of a command. */
  enum End {
    DONE,
    NOT_FOUND,
    FAILED_PRECONDITION,
    ABORTED,
    /** Its request had an outcome already. */
    REPEATED,
    /** No more outcomes can be kept. */
    RESOURCE_EXHAUSTED,
    OTHER;

    static End of(OutcomeCode code) {
      return switch (code) {
        case DONE -> DONE;
        case NOT_FOUND -> NOT_FOUND;
        case FAILED_PRECONDITION -> FAILED_PRECONDITION;
        case ABORTED -> ABORTED;
        case RESOURCE_EXHAUSTED -> RESOURCE_EXHAUSTED;
        case CONFLICT, OTHER -> OTHER;
      };
    }
  }

  private final Map<Kind, Map<End, Counter>> counters = new EnumMap<>(Kind.class);

  CommandCounts(MeterRegistry meters) {
    for (Kind kind : Kind.values()) {
      Map<End, Counter> ofKind = new EnumMap<>(End.class);
      for (End end : End.values()) {
        ofKind.put(
            end,
            Counter.builder("tocsin.processor.commands")
                .tag("kind", kind.name())
                .tag("outcome", end.name())
                .description("Commands that were folded")
                .register(meters));
      }
      counters.put(kind, ofKind);
    }
  }

  /** One that was applied. */
  void count(Command command, End end) {
    counters.get(Kind.of(command)).get(end).increment();
  }
}
