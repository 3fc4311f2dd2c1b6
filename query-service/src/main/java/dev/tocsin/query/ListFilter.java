package dev.tocsin.query;

import com.google.protobuf.ByteString;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.Severity;
import java.util.Set;

/**
 * Which incidents are listed. Immutable.
 *
 * @param workspace the caller's
 * @param states all if empty
 * @param severities all if empty
 * @param source all if empty
 * @param includeSuppressed also those that a silence or another one hides
 */
record ListFilter(
    String workspace,
    Set<IncidentState> states,
    Set<Severity> severities,
    String source,
    boolean includeSuppressed) {
  static final int DIGEST_BYTES = Sha256.BYTES;

  /** Equal for equal filters, whatever the order and repetition in which they were written. */
  ByteString digest() {
    Sha256 parts =
        new Sha256()
            .text(workspace)
            .set(states.stream().mapToInt(IncidentState::getNumber))
            .set(severities.stream().mapToInt(Severity::getNumber))
            .text(source);
    return (includeSuppressed ? parts.text("suppressed") : parts).byteString();
  }
}
