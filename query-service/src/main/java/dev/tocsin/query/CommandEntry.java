package dev.tocsin.query;

import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;

/** A command that has been found right, and the entry of the log that it becomes. Immutable. */
final class CommandEntry {
  private static final Codec<LogEntry> CODEC = Codec.of(LogEntry.class);

  private final Command command;
  private final byte[] bytes;

  CommandEntry(Command command) {
    this.command = command;
    this.bytes = CODEC.encode(LogEntries.of(command));
  }

  Command command() {
    return command;
  }

  /** As the log takes it. Not to be changed. */
  byte[] bytes() {
    return bytes;
  }

  String requestId() {
    return command.getRequestId();
  }

  /** The id of the incident that it is about; empty where one is to be created. */
  String incident() {
    return command.getIncident() == null ? "" : IncidentId.text(command.getIncident());
  }
}
