package dev.tocsin.query;

import com.google.protobuf.ByteString;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.Severity;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Which incidents are listed. Immutable.
 *
 * @param workspace the caller's
 * @param states all if empty
 * @param severities all if empty
 * @param source all if empty
 */
record ListFilter(
    String workspace, Set<IncidentState> states, Set<Severity> severities, String source) {
  static final int DIGEST_BYTES = 16;

  /**
   * Equal for equal filters, whatever the order and repetition in which they were written: the
   * first bytes of SHA-256 over the parts, each with its length before it.
   */
  ByteString digest() {
    MessageDigest digest = sha256();
    add(digest, workspace);
    add(digest, states.stream().mapToInt(IncidentState::getNumber));
    add(digest, severities.stream().mapToInt(Severity::getNumber));
    add(digest, source);
    return ByteString.copyFrom(digest.digest(), 0, DIGEST_BYTES);
  }

  private static void add(MessageDigest digest, String part) {
    byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
    digest.update(ByteBuffer.allocate(4).putInt(0, bytes.length));
    digest.update(bytes);
  }

  private static void add(MessageDigest digest, IntStream numbers) {
    int bits = numbers.map(number -> 1 << number).reduce(0, (all, bit) -> all | bit);
    digest.update(ByteBuffer.allocate(4).putInt(0, bits));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
