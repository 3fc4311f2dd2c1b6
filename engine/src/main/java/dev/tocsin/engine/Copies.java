package dev.tocsin.engine;

import dev.tocsin.schemas.GeneratedClasses;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Tally;
import org.apache.avro.specific.SpecificRecordBase;

/**
 * Copies of records, for changing: what they hold is shared, so lists and maps are replaced, never
 * changed.
 */
final class Copies {
  static {
    GeneratedClasses.trust();
  }

  private Copies() {}

  /** Each entry changes it. */
  static PartitionState of(PartitionState state) {
    PartitionState copy = new PartitionState();
    copy.setAppliedOffset(state.getAppliedOffset());
    copy.setFoldTimeMs(state.getFoldTimeMs());
    copy.setEngineVersion(state.getEngineVersion());
    copy.setSequence(state.getSequence());
    copy.setAlerts(state.getAlerts());
    copy.setOccurrences(state.getOccurrences());
    copy.setRedelivered(state.getRedelivered());
    copy.setResolved(state.getResolved());
    copy.setUnmatched(state.getUnmatched());
    copy.setStale(state.getStale());
    copy.setOpened(state.getOpened());
    copy.setDeadLettered(state.getDeadLettered());
    copy.setMuted(state.getMuted());
    copy.setOutcomes(state.getOutcomes());
    copy.setSuppressed(state.getSuppressed());
    copy.setInhibitionsFull(state.getInhibitionsFull());
    copy.setSilences(state.getSilences());
    copy.setSilencesFull(state.getSilencesFull());
    return copy;
  }

  /** Nearly each alert changes one. */
  static Tally of(Tally tally) {
    Tally copy = new Tally();
    copy.setOccurrences(tally.getOccurrences());
    copy.setLastSeenMs(tally.getLastSeenMs());
    copy.setPublishedOccurrences(tally.getPublishedOccurrences());
    copy.setPublishedAtMs(tally.getPublishedAtMs());
    copy.setPublishArmed(tally.getPublishArmed());
    copy.setState(tally.getState());
    copy.setSeverity(tally.getSeverity());
    copy.setWorkspace(tally.getWorkspace());
    copy.setSource(tally.getSource());
    copy.setRule(tally.getRule());
    copy.setRevision(tally.getRevision());
    copy.setWhole(tally.getWhole());
    return copy;
  }

  /** Any record: by its schema, which takes its time. */
  @SuppressWarnings("unchecked") // a record's class has one schema
  static <T extends SpecificRecordBase> T of(T record) {
    T copy = (T) record.getSpecificData().newRecord(null, record.getSchema());
    for (int field = record.getSchema().getFields().size() - 1; field >= 0; field--) {
      copy.put(field, record.get(field));
    }
    return copy;
  }
}
